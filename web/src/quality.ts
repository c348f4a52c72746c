/** How much the machine can draw: three levels, stepped down by itself when pictures come too slowly. */

export interface Quality {
  name: "low" | "medium" | "high";
  shadowPx: number;
  /** Upper bound of device pixels per CSS pixel. */
  pixelRatio: number;
  /** Avatars drawn with a skeleton. */
  skinned: number;
  /** Whether the GPU draws paving, roof tiles and the like. */
  patterns: boolean;
  /** Longer edge of the map's photograph. */
  mapPx: number;
}

const LEVELS: Quality[] = [
  { name: "low", shadowPx: 0, pixelRatio: 0.75, skinned: 8, patterns: false, mapPx: 512 },
  { name: "medium", shadowPx: 1024, pixelRatio: 1, skinned: 16, patterns: true, mapPx: 1024 },
  { name: "high", shadowPx: 2048, pixelRatio: 2, skinned: 24, patterns: true, mapPx: 1536 },
];
const SLOW_MS = 30;
const JUDGED_OVER = 60;

export class QualityControl {
  current: Quality;
  /** Whether a processor draws instead of a GPU. */
  readonly software: boolean;
  private readonly fixed: boolean;
  private times: number[] = [];

  /**
   * @param wanted - Name of a level that stays, or null to choose by itself.
   * @param renderer - The GPU's name; software renderers begin at the lowest level.
   */
  constructor(wanted: string | null, renderer: string) {
    const level = LEVELS.find((each) => each.name === wanted);
    this.fixed = level !== undefined;
    this.software = /swiftshader|llvmpipe|software|basic render/i.test(renderer);
    this.current = level ?? (LEVELS[this.software ? 0 : 2] as Quality);
  }

  /** Takes the time since the last picture; returns true when the level changed. */
  drawn(ms: number): boolean {
    if (this.fixed || this.current === LEVELS[0] || ms > 500) return false;
    this.times.push(ms);
    if (this.times.length < JUDGED_OVER) return false;
    const median = this.times.sort((a, b) => a - b)[JUDGED_OVER / 2] as number;
    this.times = [];
    if (median < SLOW_MS) return false;
    this.current = LEVELS[LEVELS.indexOf(this.current) - 1] as Quality;
    return true;
  }
}
