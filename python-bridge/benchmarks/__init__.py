"""What the benchmarks of the data plane measure, one process per sample; bench/ starts them."""
