/** @type {import('next').NextConfig} */
export default {
  turbopack: { root: import.meta.dirname },
  // The signup's popup answers to the page that opened it.
  headers: async () => [
    { source: '/whatsapp', headers: [{ key: 'Cross-Origin-Opener-Policy', value: 'same-origin-allow-popups' }] },
  ],
}
