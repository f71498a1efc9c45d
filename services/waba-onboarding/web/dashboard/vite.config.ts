import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

// firstPaint puts src/firstpaint.js into the head as a script of its own that blocks: the theme is known before anything
// is painted, and the Content-Security-Policy needs no exception for inline scripts.
function firstPaint(): Plugin {
  const source = readFileSync(new URL('src/firstpaint.js', import.meta.url), 'utf8')
  const name = `assets/firstpaint-${createHash('sha256').update(source).digest('base64url').slice(0, 8)}.js`
  let built = false
  return {
    name: 'first-paint',
    config: (_, { command }) => {
      built = command === 'build'
    },
    // The customer's page has no theme to choose: its styles ask the system.
    transformIndexHtml: (_, { path }) =>
      path.endsWith('connect.html') ? [] : [{ tag: 'script', attrs: { src: built ? `/${name}` : '/src/firstpaint.js' }, injectTo: 'head-prepend' }],
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: name, source })
    },
  }
}

// firstScreen lets the dashboard's document name what its first screen is made of. Else the browser would only hear of it
// once the rest has run, a round trip later, and ask for it while the data should come.
function firstScreen(): Plugin {
  return {
    name: 'first-screen',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { path, bundle = {} }) {
        if (!path.endsWith('index.html')) return []
        const files = new Set<string>()
        const visit = (name: string) => {
          const chunk = bundle[name]
          if (chunk?.type !== 'chunk' || files.has(name)) return
          for (const file of [name, ...(chunk.viteMetadata?.importedCss ?? [])]) files.add(file)
          chunk.imports.forEach(visit)
        }
        for (const [name, chunk] of Object.entries(bundle)) {
          if (chunk.type === 'chunk' && chunk.facadeModuleId?.endsWith('/src/App.tsx')) visit(name)
        }
        return [...files].filter((file) => !html.includes(file)).map((file) => ({
          tag: 'link',
          attrs: { rel: file.endsWith('.css') ? 'stylesheet' : 'modulepreload', crossorigin: true, href: `/${file}` },
          injectTo: 'head' as const,
        }))
      },
    },
  }
}

// compress writes a .gz and a .br next to each text file, once, so that no request pays for it.
function compress(): Plugin {
  let folder = ''
  return {
    name: 'compress',
    apply: 'build',
    configResolved: (config) => {
      folder = config.build.outDir
    },
    closeBundle: {
      order: 'post',
      handler() {
        for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
          if (!/\.(js|css|html|svg)$/.test(file)) continue
          const path = join(folder, file)
          writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }))
          writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)))
        }
      },
    },
  }
}

// kitScript puts the kit's script for other pages beside ours: the service serves it as /connect.js.
function kitScript(): Plugin {
  return {
    name: 'kit-script',
    apply: (_, { command, mode }) => command === 'build' && mode === 'production',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'connect.js', source: readFileSync(new URL('../kit/dist/connect.js', import.meta.url)) })
    },
  }
}

const kit = (file: string) => new URL(`../kit/src/${file}`, import.meta.url).pathname

export default defineConfig({
  plugins: [react(), firstPaint(), firstScreen(), kitScript(), compress()],
  // From its source: the page needs no build of the kit.
  resolve: {
    alias: [
      { find: /^@whatrack\/connect\/react$/, replacement: kit('react.ts') },
      { find: /^@whatrack\/connect$/, replacement: kit('index.ts') },
    ],
    dedupe: ['react'],
  },
  build: {
    outDir: new URL('../dist', import.meta.url).pathname,
    emptyOutDir: true,
    // The document names its own scripts; a polyfill would be an inline script.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: { input: ['index.html', 'connect.html'] },
  },
  server: { port: 5173, proxy: { '/api': process.env.API ?? 'http://127.0.0.1:8080' } },
  preview: { port: 5173, proxy: { '/api': process.env.API ?? 'http://127.0.0.1:8080' } },
  test: { include: ['test/**/*.test.ts'], hookTimeout: 180_000 },
})
