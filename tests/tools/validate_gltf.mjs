// Prints the Khronos validator's report of the GLB on standard input as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const validator = createRequire(import.meta.url)("gltf-validator");
const report = await validator.validateBytes(new Uint8Array(readFileSync(0)), { maxIssues: 50 });
process.stdout.write(JSON.stringify(report));
