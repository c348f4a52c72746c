/**
 * A map of upright surfaces on a fine grid: from what height to what height each cell is walled.
 *
 * Good enough to stop the camera, to hide name tags behind houses and to slide along walls until the server has
 * spoken; the server alone knows what is truly solid.
 */

const CELL_M = 0.25;
const MAX_CELLS = 4_000_000;
const LEAST_RISE_M = 0.45;

export interface Bounds {
  minX: number;
  minY: number;
  maxX: number;
  maxY: number;
}

export class Walls {
  private readonly columns: number;
  private readonly rows: number;
  private readonly cell: number;
  private readonly low: Float32Array;
  private readonly high: Float32Array;

  /** @param bounds - What is covered, metres in the server's frame; outside nothing is walled. */
  constructor(private readonly bounds: Bounds) {
    const area = Math.max(1, (bounds.maxX - bounds.minX) * (bounds.maxY - bounds.minY));
    this.cell = Math.max(CELL_M, Math.sqrt(area / MAX_CELLS));
    this.columns = Math.max(1, Math.ceil((bounds.maxX - bounds.minX) / this.cell));
    this.rows = Math.max(1, Math.ceil((bounds.maxY - bounds.minY) / this.cell));
    this.low = new Float32Array(this.columns * this.rows).fill(Infinity);
    this.high = new Float32Array(this.columns * this.rows).fill(-Infinity);
  }

  /**
   * Adds triangles; those that lie rather than stand are ignored.
   *
   * @param places - x, y, z of each corner in the server's frame.
   * @param corners - Three corner indices a triangle.
   */
  add(places: ArrayLike<number>, corners: ArrayLike<number>): void {
    for (let i = 0; i + 2 < corners.length; i += 3) {
      this.addTriangle(places, corners[i] as number, corners[i + 1] as number, corners[i + 2] as number);
    }
  }

  /** Tells whether a point is within a wall. */
  solid(x: number, y: number, z: number): boolean {
    const at = this.index(x, y);
    return at >= 0 && z > (this.low[at] as number) && z < (this.high[at] as number);
  }

  /** Returns how far one sees from a towards b before a wall, as a share 0..1 of the way; 1 when nothing is between. */
  sight(ax: number, ay: number, az: number, bx: number, by: number, bz: number): number {
    const steps = Math.ceil(Math.hypot(bx - ax, by - ay) / (this.cell * 0.7));
    for (let i = 1; i < steps; i++) {
      const t = i / steps;
      if (this.solid(ax + (bx - ax) * t, ay + (by - ay) * t, az + (bz - az) * t)) return t;
    }
    return 1;
  }

  /** Returns where someone of 0.25 m radius ends who walks from a to b and slides along what is in the way. */
  slide(ax: number, ay: number, bx: number, by: number, z: number): { x: number; y: number } {
    if (this.open(ax, ay, bx, by, z)) return { x: bx, y: by };
    if (this.open(ax, ay, bx, ay, z)) return { x: bx, y: ay };
    if (this.open(ax, ay, ax, by, z)) return { x: ax, y: by };
    return { x: ax, y: ay };
  }

  private open(ax: number, ay: number, bx: number, by: number, z: number): boolean {
    const gone = Math.hypot(bx - ax, by - ay);
    if (gone < 1e-9) return true;
    const reach = 0.25 / gone;
    const x = bx + (bx - ax) * reach;
    const y = by + (by - ay) * reach;
    return !this.solid(x, y, z + 0.6) && !this.solid(x, y, z + 1.3);
  }

  private addTriangle(places: ArrayLike<number>, a: number, b: number, c: number): void {
    const [ax, ay, az] = corner(places, a);
    const [bx, by, bz] = corner(places, b);
    const [cx, cy, cz] = corner(places, c);
    const low = Math.min(az, bz, cz);
    const high = Math.max(az, bz, cz);
    const flat = Math.abs((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
    if (high - low < LEAST_RISE_M || flat > 0.02 * (high - low)) return;
    this.stamp(ax, ay, bx, by, low, high);
    this.stamp(ax, ay, cx, cy, low, high);
    this.stamp(bx, by, cx, cy, low, high);
  }

  private stamp(ax: number, ay: number, bx: number, by: number, low: number, high: number): void {
    const steps = Math.max(1, Math.ceil(Math.hypot(bx - ax, by - ay) / (this.cell * 0.6)));
    for (let i = 0; i <= steps; i++) {
      const at = this.index(ax + ((bx - ax) * i) / steps, ay + ((by - ay) * i) / steps);
      if (at < 0) continue;
      this.low[at] = Math.min(this.low[at] as number, low);
      this.high[at] = Math.max(this.high[at] as number, high);
    }
  }

  private index(x: number, y: number): number {
    const column = Math.floor((x - this.bounds.minX) / this.cell);
    const row = Math.floor((y - this.bounds.minY) / this.cell);
    if (column < 0 || row < 0 || column >= this.columns || row >= this.rows) return -1;
    return row * this.columns + column;
  }
}

function corner(places: ArrayLike<number>, i: number): [number, number, number] {
  return [places[3 * i] as number, places[3 * i + 1] as number, places[3 * i + 2] as number];
}
