/**
 * The world's file made cheap to draw: still meshes and copies merged by district, dense copies left instanced, and
 * apart from them what changes: doors, loose things and roofs.
 */

import {
  Box3,
  BufferAttribute,
  BufferGeometry,
  Color,
  Group,
  InstancedMesh,
  Material,
  Matrix4,
  Mesh,
  MeshLambertMaterial,
  MeshStandardMaterial,
  Object3D,
  SkinnedMesh,
  Vector3,
} from "three";
import { patternOf, surface } from "./surface";
import { Sight, instancedAt, isIn, radiusOf, tiled, type Tile } from "./tiles";
import type { Bounds } from "./walls";
import { Walls } from "./walls";

const DISTRICT_M = 96;
/** Copies of a mesh in one tile that have more triangles than this stay instanced; fewer are merged with their neighbours. */
const MERGED_TRIANGLES = 30_000;
/** Copies up to this radius, metres, are merged apart from larger ones and vanish nearer. */
const SMALL_M = 1.3;
/** However large the world, it has at most about this many districts along an edge. */
const DISTRICTS = 14;
/** Kinds whose meshes stand in the way of sight and steps. */
const WALLING = new Set(["building", "wall", ""]);

/** Kinds that change place or pose while the world is open. */
const MOVING = new Set(["door", "ball", "book", "cup", "box", "lantern", "stretcher"]);

/** What the scene's writer says of a node in its `extras`. */
export interface Extras {
  kind?: string;
  style?: string;
  roof?: boolean;
  level?: number;
}

export class Scenery {
  readonly root = new Group();
  readonly box = new Box3();
  readonly bounds: Bounds;
  readonly walls: Walls;
  /** What changes, by node name. */
  readonly movable = new Map<string, Object3D>();
  readonly roofs: Mesh[] = [];
  /** Still meshes above the ground floor; `userData.level` says which storey. */
  readonly storeys: Mesh[] = [];
  /** Furniture of buildings that can be entered, by storey; `userData.foot` says how high it stands, metres. */
  readonly rooms: Mesh[] = [];
  /** What vanishes with distance. */
  readonly sight = new Sight();

  /** @param file - The scene's root as loaded; it is taken apart. */
  constructor(file: Object3D) {
    file.updateMatrixWorld(true);
    this.box.setFromObject(file);
    this.bounds = {
      minX: this.box.min.x,
      maxX: this.box.max.x,
      minY: -this.box.max.z,
      maxY: -this.box.min.z,
    };
    this.walls = new Walls(this.bounds);
    this.sort(file);
  }

  /** Hides what cannot be made out from there, three.js frame. */
  update(eye: Vector3): void {
    this.sight.update(eye);
  }

  /** Frees what the GPU holds. */
  dispose(): void {
    this.root.traverse((each) => {
      if (each instanceof Mesh) each.geometry.dispose();
    });
    this.root.removeFromParent();
  }

  private sort(file: Object3D): void {
    const districts = new Map<string, Still[]>();
    const apart: Object3D[] = [];
    const instanced: InstancedMesh[] = [];
    const visit = (node: Object3D, kind: string, level: number): void => {
      const extras = node.userData as Extras;
      const own = extras.kind ?? kind;
      const storey = extras.level ?? level;
      if (MOVING.has(own) || extras.roof === true) {
        apart.push(node);
        if (extras.roof === true) this.addRoof(node);
        else this.movable.set(nodeName(node), node);
        return;
      }
      if (node instanceof InstancedMesh) instanced.push(node);
      else if (node instanceof Mesh && !(node instanceof SkinnedMesh)) this.place(node, own, storey, districts, apart);
      for (const child of [...node.children]) visit(child, own, storey);
    };
    visit(file, "", 0);
    for (const [key, stills] of districts) this.addDistrict(merged(stills), Number(key.split(",")[2]));
    for (const node of apart) this.keep(node);
    const buildings = this.roofs.map((roof) => new Box3().setFromObject(roof));
    const tiles = new Map<string, Crowded>();
    for (const node of instanced) this.addCopies(node, buildings, tiles);
    for (const tile of tiles.values()) this.addTile(tile);
    for (const node of this.movable.values()) {
      const size = new Box3().setFromObject(node).getSize(new Vector3()).length();
      this.sight.add(node, size / 2, this.isIndoors(node, buildings));
    }
  }

  /** Sorts copies into tiles to be merged; many copies of a detailed mesh stay one instanced mesh of their tile. */
  private addCopies(node: InstancedMesh, buildings: Box3[], tiles: Map<string, Crowded>): void {
    const radius = radiusOf(node);
    const triangles = (node.geometry.index?.count ?? node.geometry.getAttribute("position").count) / 3;
    const pattern = patternOf((node.userData as Extras).kind ?? "");
    const material = node.material as Material;
    const alone = !mergeable(node);
    node.material = plain(material);
    for (const tile of tiled(node, buildings)) {
      if (alone || (!tile.indoors && tile.matrices.length * triangles > MERGED_TRIANGLES)) {
        this.addInstanced(node, tile, radius);
        continue;
      }
      const key = `${tile.key} ${radius > SMALL_M}`;
      const crowded = tiles.get(key) ?? { indoors: tile.indoors, radius: 0, stills: [] };
      tiles.set(key, crowded);
      crowded.radius = Math.max(crowded.radius, radius);
      for (const matrix of tile.matrices) crowded.stills.push({ mesh: node, matrix, pattern });
    }
  }

  private addInstanced(node: InstancedMesh, tile: Tile, radius: number): void {
    const mesh = instancedAt(node, tile.matrices);
    mesh.castShadow = mesh.receiveShadow = true;
    this.root.add(mesh);
    this.sight.add(mesh, radius, tile.indoors);
  }

  private addTile({ stills, radius, indoors }: Crowded): void {
    const mesh = merged(stills);
    this.root.add(mesh);
    this.sight.add(mesh, radius, indoors);
    if (!indoors) return;
    mesh.userData["foot"] = Math.min(...stills.map(({ matrix }) => matrix.elements[13] as number));
    this.rooms.push(mesh);
  }

  /** Doors stand in walls and are seen from outside. */
  private isIndoors(node: Object3D, buildings: Box3[]): boolean {
    if ((node.userData as Extras).kind === "door") return false;
    return buildings.some((box) => isIn(box, node.position));
  }

  private addDistrict(mesh: Mesh, level: number): void {
    this.root.add(mesh);
    mesh.userData["level"] = level;
    if (level > 0) this.storeys.push(mesh);
  }

  private place(mesh: Mesh, kind: string, level: number, districts: Map<string, Still[]>, apart: Object3D[]): void {
    if (WALLING.has(kind)) this.addWalls(mesh);
    if (!mergeable(mesh)) {
      apart.push(mesh);
      return;
    }
    const middle = new Box3().setFromObject(mesh).getCenter(new Vector3());
    const edge = Math.max(DISTRICT_M, (this.bounds.maxX - this.bounds.minX) / DISTRICTS);
    const key = [Math.floor(middle.x / edge), Math.floor(middle.z / edge), level].join();
    const meshes = districts.get(key);
    const still = { mesh, matrix: mesh.matrixWorld, pattern: patternOf((mesh.userData as Extras).style ?? kind) };
    if (meshes) meshes.push(still);
    else districts.set(key, [still]);
  }

  /** Takes a node out of the file as it stands and gives its meshes our own material. */
  private keep(node: Object3D): void {
    this.root.attach(node);
    node.traverse((each) => {
      if (!(each instanceof Mesh)) return;
      each.material = plain(each.material as Material);
      each.castShadow = each.receiveShadow = true;
    });
  }

  private addRoof(node: Object3D): void {
    node.traverse((each) => {
      if (!(each instanceof Mesh)) return;
      this.roofs.push(each);
    });
  }

  private addWalls(mesh: Mesh): void {
    const geometry = mesh.geometry as BufferGeometry;
    const from = geometry.getAttribute("position");
    const places = new Float32Array(from.count * 3);
    const point = new Vector3();
    for (let i = 0; i < from.count; i++) {
      point.fromBufferAttribute(from, i).applyMatrix4(mesh.matrixWorld);
      places.set([point.x, -point.z, point.y], 3 * i);
    }
    this.walls.add(places, geometry.index?.array ?? Array.from({ length: from.count }, (_, i) => i));
  }
}

/** The name that the server uses: the loader changes characters of `name`, so the file's own comes first. */
export function nodeName(node: Object3D): string {
  const given = (node.userData as { name?: unknown }).name;
  return typeof given === "string" ? given : node.name;
}

function mergeable(mesh: Mesh): boolean {
  const material = mesh.material;
  if (Array.isArray(material) || material.transparent) return false;
  return !(material instanceof MeshStandardMaterial && (material.map !== null || material.metalness > 0.5));
}

/** Matt, flat shaded and tinted by vertex; textured materials stay as they are. */
function plain(material: Material): Material {
  if (!(material instanceof MeshStandardMaterial) || material.map) return material;
  const { color, vertexColors, side, transparent, opacity } = material;
  return new MeshLambertMaterial({ color, vertexColors, side, transparent, opacity, flatShading: true });
}

/** A mesh at a place where it stays, and the pattern its kind shows. */
interface Still {
  mesh: Mesh;
  matrix: Matrix4;
  pattern: number;
}

/** What of a tile is drawn as one. */
interface Crowded {
  indoors: boolean;
  /** Of its largest thing, metres. */
  radius: number;
  stills: Still[];
}

function merged(stills: Still[]): Mesh {
  const count = (mesh: Mesh) => mesh.geometry.getAttribute("position").count;
  const corners = stills.reduce((sum, { mesh }) => sum + count(mesh), 0);
  const faces = stills.reduce((sum, { mesh }) => sum + (mesh.geometry.index?.count ?? count(mesh)), 0);
  const places = new Float32Array(corners * 3);
  const paint = new Uint16Array(corners * 3);
  const pattern = new Uint8Array(corners);
  const index = new Uint32Array(faces);
  let vertex = 0;
  let face = 0;
  for (const each of stills) {
    copyVertices(each, places, paint, vertex);
    face = copyFaces(each, index, face, vertex);
    pattern.fill(each.pattern, vertex, vertex + count(each.mesh));
    vertex += count(each.mesh);
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(places, 3));
  geometry.setAttribute("color", new BufferAttribute(paint, 3, true));
  geometry.setAttribute("pattern", new BufferAttribute(pattern, 1));
  geometry.setIndex(new BufferAttribute(index, 1));
  const mesh = new Mesh(geometry, surface);
  mesh.castShadow = mesh.receiveShadow = true;
  mesh.matrixAutoUpdate = false;
  return mesh;
}

function copyVertices({ mesh, matrix }: Still, places: Float32Array, paint: Uint16Array, start: number): void {
  const position = mesh.geometry.getAttribute("position");
  const colour = mesh.geometry.getAttribute("color");
  const tint = (mesh.material as MeshLambertMaterial | MeshStandardMaterial).color ?? new Color(1, 1, 1);
  const point = new Vector3();
  for (let i = 0; i < position.count; i++) {
    point.fromBufferAttribute(position, i).applyMatrix4(matrix);
    places.set([point.x, point.y, point.z], 3 * (start + i));
    const r = tint.r * (colour?.getX(i) ?? 1);
    const g = tint.g * (colour?.getY(i) ?? 1);
    const b = tint.b * (colour?.getZ(i) ?? 1);
    paint.set([r * 65535, g * 65535, b * 65535], 3 * (start + i));
  }
}

/** Copies triangles behind `face`, turned over where the mesh is mirrored; returns where the next ones go. */
function copyFaces({ mesh, matrix }: Still, index: Uint32Array, face: number, start: number): number {
  const from = mesh.geometry.index;
  const count = from?.count ?? mesh.geometry.getAttribute("position").count;
  const mirrored = matrix.determinant() < 0;
  for (let i = 0; i < count; i++) {
    const corner = mirrored ? i - (i % 3) + [0, 2, 1][i % 3]! : i;
    index[face + i] = start + (from ? from.getX(corner) : corner);
  }
  return face + count;
}
