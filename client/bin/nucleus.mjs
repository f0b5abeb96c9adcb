#!/usr/bin/env node
// The command line is TypeScript; tsx loads it. `tsconfig: false`: the one of the folder that a user stands in is not ours.
import { register } from 'tsx/esm/api';

register({ tsconfig: false });
await import('../cli/main.js');
