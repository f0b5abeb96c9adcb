import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { EXAMPLE_OPERATIONS } from './example-operations.js';
import 'graphiql/style.css';

const socketUrl = new URL('/graphql', window.location.href);
socketUrl.protocol = socketUrl.protocol === 'https:' ? 'wss:' : 'ws:';

const root = document.getElementById('graphiql');
if (root !== null) {
  createRoot(root).render(
    <GraphiQL
      fetcher={createGraphiQLFetcher({ url: '/graphql', subscriptionUrl: socketUrl.href })}
      defaultTabs={EXAMPLE_OPERATIONS.map(({ query, variables }) => ({
        query,
        ...(variables && { variables: JSON.stringify(variables, null, 2) }),
      }))}
    />,
  );
}
