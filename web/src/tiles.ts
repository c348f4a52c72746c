/** Copies of one mesh, cut into tiles of the ground so that what is behind or too far to make out costs nothing. */

import { Box3, InstancedMesh, Matrix4, Sphere, Vector3, type BufferGeometry, type Material, type Object3D } from "three";

const TILE_M = 96;
/** A thing is drawn up to this many times its own radius away: about three pixels of a large picture. */
const SIGHT_RADII = 150;

/** What stands in a building is drawn only from this near: elsewhere its walls hide it. */
const INDOORS_M = 22;

/** Copies that stand near each other, or in the same building. */
export interface Tile {
  mesh: InstancedMesh;
  indoors: boolean;
}

/**
 * Returns the same copies as one mesh for each tile and building, in world coordinates.
 *
 * @param buildings - Boxes of the roofs of buildings that can be entered.
 */
export function tiled(copies: InstancedMesh, buildings: Box3[]): Tile[] {
  const groups = new Map<string, Matrix4[]>();
  const at = new Vector3();
  for (let i = 0; i < copies.count; i++) {
    const matrix = new Matrix4();
    copies.getMatrixAt(i, matrix);
    matrix.premultiply(copies.matrixWorld);
    at.setFromMatrixPosition(matrix);
    const building = buildings.findIndex((box) => isIn(box, at));
    const key = building >= 0 ? `in ${building}` : `${Math.floor(at.x / TILE_M)} ${Math.floor(at.z / TILE_M)}`;
    const group = groups.get(key);
    if (group) group.push(matrix);
    else groups.set(key, [matrix]);
  }
  return [...groups].map(([key, matrices]) => ({ mesh: tile(copies, matrices), indoors: key.startsWith("in ") }));
}

/** Whether a point is under a roof, whatever its storey. */
export function isIn(roof: Box3, at: Vector3): boolean {
  const { min, max } = roof;
  return at.x > min.x && at.x < max.x && at.z > min.z && at.z < max.z && at.y < max.y;
}

function tile(copies: InstancedMesh, matrices: Matrix4[]): InstancedMesh {
  const mesh = new InstancedMesh(copies.geometry as BufferGeometry, copies.material as Material, matrices.length);
  matrices.forEach((matrix, i) => mesh.setMatrixAt(i, matrix));
  mesh.computeBoundingSphere();
  return mesh;
}

/** Hides what is too small to be made out from where the viewer is. */
export class Sight {
  private readonly entries: { object: { visible: boolean }; sphere: Sphere; reach: number }[] = [];

  /** Takes a tile of copies. */
  addTile({ mesh, indoors }: Tile): void {
    const geometry = mesh.geometry as BufferGeometry;
    if (!geometry.boundingSphere) geometry.computeBoundingSphere();
    const radius = geometry.boundingSphere?.radius ?? 1;
    const reach = indoors ? INDOORS_M : radius * SIGHT_RADII;
    this.entries.push({ object: mesh, sphere: mesh.boundingSphere ?? new Sphere(), reach });
  }

  /** Takes one thing that stays about where it is. */
  addThing(object: Object3D, indoors: boolean): void {
    const sphere = new Box3().setFromObject(object).getBoundingSphere(new Sphere());
    this.entries.push({ object, sphere, reach: indoors ? INDOORS_M : sphere.radius * SIGHT_RADII });
  }

  update(eye: Vector3): void {
    for (const { object, sphere, reach } of this.entries) object.visible = sphere.distanceToPoint(eye) < reach;
  }
}
