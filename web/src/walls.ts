/**
 * A map of upright surfaces on a fine grid: one bit of each cell for every half metre of height.
 *
 * Good enough to stop the camera, to hide name tags behind houses and to slide along walls until the server has
 * spoken; the server alone knows what is truly solid.
 */

const CELL_M = 0.25;
const MAX_CELLS = 4_000_000;
const LEAST_RISE_M = 0.45;
const SLICE_M = 0.5;
/** Bits of a cell; heights 16 m apart share one, which no room can notice. */
const SLICES = 32;

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
  private readonly slices: Uint32Array;

  /** @param bounds - What is covered, metres in the server's frame; outside nothing is walled. */
  constructor(private readonly bounds: Bounds) {
    const area = Math.max(1, (bounds.maxX - bounds.minX) * (bounds.maxY - bounds.minY));
    this.cell = Math.max(CELL_M, Math.sqrt(area / MAX_CELLS));
    this.columns = Math.max(1, Math.ceil((bounds.maxX - bounds.minX) / this.cell));
    this.rows = Math.max(1, Math.ceil((bounds.maxY - bounds.minY) / this.cell));
    this.slices = new Uint32Array(this.columns * this.rows);
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
    return at >= 0 && ((this.slices[at] as number) & bit(Math.floor(z / SLICE_M))) !== 0;
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
    const corners = [corner(places, a), corner(places, b), corner(places, c)];
    const heights = corners.map((each) => each[2]);
    const [p, q] = farthest(corners);
    const length = Math.hypot(q[0] - p[0], q[1] - p[1]);
    const flat = area(corners);
    const rise = Math.max(...heights) - Math.min(...heights);
    // Upright: its plan is a line, or all but one.
    if (rise < LEAST_RISE_M || length < 1e-6 || flat > 0.02 * rise) return;
    const along = corners.map((each) => ((each[0] - p[0]) * (q[0] - p[0]) + (each[1] - p[1]) * (q[1] - p[1])) / length);
    const steps = Math.max(1, Math.ceil(length / (this.cell * 0.6)));
    for (let i = 0; i <= steps; i++) {
      const t = i / steps;
      const at = this.index(p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t);
      if (at >= 0) this.stamp(at, ...span(along, heights, t * length));
    }
  }

  /** Sets the bits of all slices whose middle lies within a range of heights. */
  private stamp(at: number, low: number, high: number): void {
    const first = Math.ceil(low / SLICE_M - 0.5);
    const last = Math.min(first + SLICES - 1, Math.floor(high / SLICE_M - 0.5));
    for (let slice = first; slice <= last; slice++) this.slices[at] = (this.slices[at] as number) | bit(slice);
  }

  private index(x: number, y: number): number {
    const column = Math.floor((x - this.bounds.minX) / this.cell);
    const row = Math.floor((y - this.bounds.minY) / this.cell);
    if (column < 0 || row < 0 || column >= this.columns || row >= this.rows) return -1;
    return row * this.columns + column;
  }
}

type Corner = [number, number, number];

function corner(places: ArrayLike<number>, i: number): Corner {
  return [places[3 * i] as number, places[3 * i + 1] as number, places[3 * i + 2] as number];
}

function bit(slice: number): number {
  return 1 << (((slice % SLICES) + SLICES) % SLICES);
}

/** Twice the area of a triangle's plan. */
function area(corners: Corner[]): number {
  const [a, b, c] = corners as [Corner, Corner, Corner];
  return Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

/** The two corners that are farthest apart in plan. */
function farthest(corners: Corner[]): [Corner, Corner] {
  const [a, b, c] = corners as [Corner, Corner, Corner];
  const pairs: [Corner, Corner][] = [[a, b], [b, c], [a, c]];
  const apart = ([p, q]: [Corner, Corner]) => Math.hypot(q[0] - p[0], q[1] - p[1]);
  return pairs.reduce((best, each) => (apart(each) > apart(best) ? each : best));
}

/** From what height to what height an upright triangle reaches at a place along its plan. */
function span(along: number[], heights: number[], at: number): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < 3; i++) {
    const j = (i + 1) % 3;
    const [a, b] = [along[i] as number, along[j] as number];
    if (at < Math.min(a, b) - 1e-6 || at > Math.max(a, b) + 1e-6) continue;
    const ends = [heights[i] as number, heights[j] as number] as const;
    // An edge that stands upright itself covers all of its height.
    const t = Math.abs(b - a) < 1e-6 ? null : (at - a) / (b - a);
    const met = t === null ? ends : [ends[0] + (ends[1] - ends[0]) * t];
    low = Math.min(low, ...met);
    high = Math.max(high, ...met);
  }
  return [low, high];
}
