// The site: pages/ has the documents and the reference, as scripts/docs.js writes them. Dead links fail the build.

import { defineConfig } from 'vitepress';

const page = (text, link) => ({ text, link: `/${link}` });

export default defineConfig({
  title: 'pinned-ffi',
  description: 'Call C libraries from Node.js, with checked arguments and fenced memory.',
  srcDir: 'pages',
  outDir: 'dist',
  cleanUrls: true,
  lastUpdated: false,
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      page('Tutorial', 'tutorial'),
      page('Cookbook', 'cookbook'),
      page('API', 'api'),
      page('Reference', 'reference/'),
    ],
    outline: [2, 3],
    sidebar: [
      {
        text: 'Start',
        items: [
          page('Introduction', ''),
          page('Tutorial', 'tutorial'),
          page('Cookbook', 'cookbook'),
          page('Questions', 'faq'),
          page('Coming from another FFI', 'migrating'),
        ],
      },
      {
        text: 'Guide',
        items: [
          page('C declarations', 'cdef'),
          page('Types', 'types'),
          page('TypeScript', 'typescript'),
          page('Memory', 'memory'),
          page('Callbacks', 'callbacks'),
          page('Threads', 'threads'),
        ],
      },
      {
        text: 'Reference',
        items: [
          page('API', 'api'),
          page('All declarations', 'reference/'),
          page('Errors', 'errors'),
          page('Command line', 'cli'),
          page('bun:ffi', 'bun'),
          page('koffi', 'koffi'),
          page('node:ffi', 'node-ffi'),
        ],
      },
      {
        text: 'Running',
        items: [
          page('Troubleshooting', 'troubleshooting'),
          page('Debugging', 'debugging'),
          page('Platforms', 'platforms'),
          page('Bundlers', 'bundlers'),
          page('Performance', 'performance'),
          page('Safety', 'safety'),
          page('Versions and support', 'versioning'),
        ],
      },
      {
        text: 'Inside',
        items: [
          page('Architecture', 'architecture'),
          page('Testing', 'testing'),
          page('Internals', 'internals/README'),
        ],
      },
    ],
  },
});
