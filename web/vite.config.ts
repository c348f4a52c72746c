/// <reference types="vitest/config" />
import { defineConfig } from "vite";

const server = process.env["ECUMENE_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../server/ecumene_server/page",
    emptyOutDir: true,
    target: "es2022",
    // three.js changes rarely and the page often: two files let browsers keep the large one.
    rollupOptions: { output: { manualChunks: { three: ["three"] } } },
    chunkSizeWarningLimit: 900,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/ws": { target: server, ws: true },
      "/scene.glb": server,
      "/humanoid.glb": server,
      "/healthz": server,
    },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
