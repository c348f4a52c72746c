/** Fetches the world's file and the humanoid. */

import { GLTFLoader, type GLTF } from "three/addons/loaders/GLTFLoader.js";

const loader = new GLTFLoader();

/** Returns a parsed GLB; `tag` is the validator under which the server sent it, empty when it sent none. */
export async function loadGlb(url: string): Promise<{ file: GLTF; tag: string }> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  const tag = (answer.headers.get("etag") ?? "").replace(/W\/|"/g, "");
  return { file: await loader.parseAsync(await answer.arrayBuffer(), ""), tag };
}
