/** Copies of meshes, sorted into tiles of the ground so that what is behind or too far to make out costs nothing. */

import { Box3, InstancedMesh, Matrix4, Mesh, Object3D, Sphere, Vector3, type BufferGeometry, type Material } from "three";

const TILE_M = 96;
/** A thing is drawn up to this many times its own radius away: about three pixels of a large picture. */
const SIGHT_RADII = 150;

/** What stands in a building is drawn only from this near: elsewhere its walls hide it. */
const INDOORS_M = 22;

/** In a building, copies whose feet are this near in height are shown and hidden together. */
const STOREY_M = 2;

/** Places of one mesh's copies that stand near each other, or in the same building and storey. */
export interface Tile {
  key: string;
  indoors: boolean;
  /** In world coordinates. */
  matrices: Matrix4[];
}

/**
 * Returns the places of all copies, sorted into tiles of the ground and storeys of buildings.
 *
 * @param buildings - Boxes of the roofs of buildings that can be entered.
 */
export function tiled(copies: InstancedMesh, buildings: Box3[]): Tile[] {
  const tiles = new Map<string, Tile>();
  const at = new Vector3();
  for (let i = 0; i < copies.count; i++) {
    const matrix = new Matrix4();
    copies.getMatrixAt(i, matrix);
    matrix.premultiply(copies.matrixWorld);
    at.setFromMatrixPosition(matrix);
    const building = buildings.findIndex((box) => isIn(box, at));
    const indoors = building >= 0;
    const key = indoors
      ? `in ${building} ${Math.floor(at.y / STOREY_M)}`
      : `${Math.floor(at.x / TILE_M)} ${Math.floor(at.z / TILE_M)}`;
    const tile = tiles.get(key);
    if (tile) tile.matrices.push(matrix);
    else tiles.set(key, { key, indoors, matrices: [matrix] });
  }
  return [...tiles.values()];
}

/** Whether a point is under a roof, whatever its storey. */
export function isIn(roof: Box3, at: Vector3): boolean {
  const { min, max } = roof;
  return at.x > min.x && at.x < max.x && at.z > min.z && at.z < max.z && at.y < max.y;
}

/** Returns one mesh that draws a geometry at all these places. */
export function instancedAt(copies: InstancedMesh, matrices: Matrix4[]): InstancedMesh {
  const mesh = new InstancedMesh(copies.geometry as BufferGeometry, copies.material as Material, matrices.length);
  matrices.forEach((matrix, i) => mesh.setMatrixAt(i, matrix));
  mesh.computeBoundingSphere();
  return mesh;
}

/** Radius of a mesh about its middle, metres, and unscaled. */
export function radiusOf(mesh: Mesh): number {
  const geometry = mesh.geometry as BufferGeometry;
  if (!geometry.boundingSphere) geometry.computeBoundingSphere();
  return geometry.boundingSphere?.radius ?? 1;
}

/** Hides what is too small to be made out from where the viewer is. */
export class Sight {
  private readonly entries: { object: Object3D; sphere: Sphere; reach: number }[] = [];

  /**
   * Takes something that stays about where it is.
   *
   * @param radius - Of the largest single thing in it, metres.
   */
  add(object: Object3D, radius: number, indoors: boolean): void {
    const sphere = new Box3().setFromObject(object).getBoundingSphere(new Sphere());
    this.entries.push({ object, sphere, reach: indoors ? INDOORS_M : radius * SIGHT_RADII });
  }

  /** Shows what is near enough, unless a shelter has lifted it. */
  update(eye: Vector3): void {
    for (const { object, sphere, reach } of this.entries) {
      object.visible = object.userData["lifted"] !== true && sphere.distanceToPoint(eye) < reach;
    }
  }
}
