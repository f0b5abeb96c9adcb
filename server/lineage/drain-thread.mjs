import { register } from 'tsx/esm/api';

register();
await import(new URL('./drain-thread.ts', import.meta.url).href);
