/** Takes away what covers the viewer indoors: the roof, and the storeys above the one they are on. */

import { Box3, Material, Mesh, Vector3, type BufferGeometry } from "three";
import { remaining } from "./angles";
import type { Scenery } from "./scenery";
import { isIn } from "./tiles";

const ABOVE_M = 2;

interface Roof {
  mesh: Mesh;
  box: Box3;
  opacity: number;
}

export class Shelter {
  /** The roof that the viewer is under. */
  private over: Roof | null = null;
  private level = 0;
  private within = false;
  private readonly roofs: Roof[];
  private readonly rooms: { mesh: Mesh; middle: Vector3 }[];

  constructor(private readonly scenery: Scenery) {
    this.roofs = scenery.roofs.map((mesh) => ({ mesh, box: new Box3().setFromObject(mesh), opacity: 1 }));
    this.rooms = scenery.rooms.map((mesh) => ({ mesh, middle: new Box3().setFromObject(mesh).getCenter(new Vector3()) }));
    for (const roof of this.roofs) roof.mesh.material = (roof.mesh.material as Material).clone();
  }

  get indoors(): boolean {
    return this.over !== null;
  }

  /**
   * Notices where the viewer is and lets roofs fade.
   *
   * @param at - Feet of the own avatar, three.js frame.
   * @param level - Its storey.
   * @param within - Whether the camera is in the avatar's head: ceilings stay then.
   */
  update(at: Vector3, level: number, within: boolean, dtS: number): void {
    const over = this.roofs.find((roof) => covers(roof, at)) ?? null;
    if (over !== this.over || level !== this.level || within !== this.within) {
      this.over = over;
      this.level = level;
      this.within = within;
      this.open(at.y);
    }
    for (const roof of this.roofs) fade(roof, roof === over && !within ? 0 : 1, dtS);
  }

  /** Shows exactly the storeys up to the viewer's while looking in from above, and everything otherwise. */
  private open(floor: number): void {
    const over = this.within ? null : this.over;
    for (const mesh of this.scenery.storeys) mesh.visible = !over || (mesh.userData["level"] as number) <= this.level;
    for (const { mesh, middle } of this.rooms) {
      const above = (mesh.userData["foot"] as number) >= floor + ABOVE_M;
      mesh.userData["lifted"] = over !== null && above && isIn(over.box, middle);
      if (mesh.userData["lifted"]) mesh.visible = false;
    }
  }
}

/** Whether a roof's plan, not only its box, is over a point below its top. */
function covers(roof: Roof, at: Vector3): boolean {
  if (at.y > roof.box.max.y || !isIn(roof.box, at)) return false;
  const local = roof.mesh.worldToLocal(at.clone());
  const geometry = roof.mesh.geometry as BufferGeometry;
  const position = geometry.getAttribute("position");
  const index = geometry.index;
  const count = index?.count ?? position.count;
  for (let i = 0; i < count; i += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => (index ? index.getX(i + k) : i + k)) as [number, number, number];
    const ab = edge(position.getX(a), position.getZ(a), position.getX(b), position.getZ(b), local);
    const bc = edge(position.getX(b), position.getZ(b), position.getX(c), position.getZ(c), local);
    const ca = edge(position.getX(c), position.getZ(c), position.getX(a), position.getZ(a), local);
    if ((ab > 0 && bc > 0 && ca > 0) || (ab < 0 && bc < 0 && ca < 0)) return true;
  }
  return false;
}

function edge(ax: number, az: number, bx: number, bz: number, at: Vector3): number {
  return (bx - ax) * (at.z - az) - (bz - az) * (at.x - ax);
}

function fade(roof: Roof, wanted: number, dtS: number): void {
  if (Math.abs(wanted - roof.opacity) < 0.005) return;
  roof.opacity += (wanted - roof.opacity) * (1 - remaining(dtS, 0.12));
  if (Math.abs(wanted - roof.opacity) < 0.01) roof.opacity = wanted;
  const material = roof.mesh.material as Material;
  material.transparent = roof.opacity < 1;
  material.opacity = roof.opacity;
  roof.mesh.visible = roof.opacity > 0.02;
}
