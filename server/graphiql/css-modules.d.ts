/** esbuild turns an imported style sheet into the bundle's CSS file; the import itself has no value. */
declare module 'graphiql/style.css';
