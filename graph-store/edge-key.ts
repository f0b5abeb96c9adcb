/** Tells one edge from every other, and from every node: neither urns nor kinds hold a space. */
export function edgeKey(edge: { readonly kind: string; readonly from: string; readonly to: string }): string {
  return `${edge.kind} ${edge.from} ${edge.to}`;
}
