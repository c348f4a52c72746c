/**
 * Keeps a slow renderer from falling behind: the next picture waits until the last one is finished, and then rests
 * for half as long, so that a processor that draws in software has time for everything else.
 */

const REST_SHARE = 0.5;

/** What of WebGL2 is used. */
export type Fences = Pick<
  WebGL2RenderingContext,
  "fenceSync" | "getSyncParameter" | "deleteSync" | "flush" | "SYNC_GPU_COMMANDS_COMPLETE" | "SYNC_STATUS" | "SIGNALED"
>;

export class Pacer {
  private fence: WebGLSync | null = null;
  private begunMs = 0;
  private restedMs = 0;

  constructor(private readonly gl: Fences) {}

  /** Tells whether a picture may be drawn now. */
  ready(nowMs: number): boolean {
    if (this.fence && this.gl.getSyncParameter(this.fence, this.gl.SYNC_STATUS) === this.gl.SIGNALED) {
      this.gl.deleteSync(this.fence);
      this.fence = null;
      this.restedMs = nowMs + (nowMs - this.begunMs) * REST_SHARE;
    }
    return this.fence === null && nowMs >= this.restedMs;
  }

  /** Marks the end of the commands of a picture that was begun at a time. */
  drawn(begunMs: number): void {
    this.begunMs = begunMs;
    this.fence = this.gl.fenceSync(this.gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    this.gl.flush();
  }
}
