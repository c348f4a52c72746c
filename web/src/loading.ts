/** Fetches the world's file and the humanoid. */

import { GLTFLoader, type GLTF } from "three/addons/loaders/GLTFLoader.js";

const loader = new GLTFLoader();

const PAUSES_MS = [1000, 3000, 9000];

interface Loaded {
  file: GLTF;
  /** The validator under which the server sent it, empty when it sent none. */
  tag: string;
}

/** Returns a parsed GLB; a file that does not arrive whole is asked for again a few times. */
export async function loadGlb(url: string): Promise<Loaded> {
  for (const pause of PAUSES_MS) {
    try {
      return await loaded(url);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return loaded(url);
}

async function loaded(url: string): Promise<Loaded> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  const tag = (answer.headers.get("etag") ?? "").replace(/W\/|"/g, "");
  return { file: await loader.parseAsync(await answer.arrayBuffer(), ""), tag };
}
