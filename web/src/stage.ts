/** The renderer, the light and what they cost. */

import {
  Color,
  DirectionalLight,
  Fog,
  HemisphereLight,
  NeutralToneMapping,
  PCFShadowMap,
  PerspectiveCamera,
  Scene,
  SRGBColorSpace,
  Vector3,
  WebGLRenderer,
} from "three";
import { remaining } from "./angles";
import { Pacer } from "./pacer";
import { QualityControl } from "./quality";
import { HORIZON, Sky, SUN } from "./sky";
import { showPatterns } from "./surface";

/** Name of objects on the scene's root that the map leaves out. */
export const NOT_ON_MAP = "not on the map";
const STREET_REACH_M = 42;
const OVERVIEW_REACH_M = 110;
const OPEN_SKY = new Color("#d9e7f7");
const LAMPLIGHT = new Color("#fff0d8");
/** Strength of the light from all sides, under the open sky and under a roof. */
const OUTDOORS = 2.7;
const INDOORS = 3.1;

export class Stage {
  readonly scene = new Scene();
  readonly camera = new PerspectiveCamera(58, 1, 0.08, 2200);
  readonly renderer: WebGLRenderer;
  readonly quality: QualityControl;
  readonly sky = new Sky();
  private readonly sun = new DirectionalLight("#ffeed2", 2.7);
  private readonly ambient = new HemisphereLight(OPEN_SKY, "#cdbfa6", OUTDOORS);
  private readonly pacer: Pacer;
  private inside = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    wanted: string | null,
  ) {
    const gpu = gpuName();
    this.quality = new QualityControl(wanted, gpu);
    // Smooth edges multiply what a processor has to draw by four.
    const antialias = this.quality.current.name !== "low";
    this.renderer = new WebGLRenderer({ canvas, antialias, powerPreference: "high-performance" });
    this.pacer = new Pacer(this.renderer.getContext() as WebGL2RenderingContext);
    this.renderer.outputColorSpace = SRGBColorSpace;
    this.renderer.toneMapping = NeutralToneMapping;
    this.renderer.toneMappingExposure = 0.9;
    this.renderer.shadowMap.type = PCFShadowMap;
    this.scene.fog = new Fog(HORIZON, 70, 520);
    this.sky.root.name = NOT_ON_MAP;
    this.scene.add(this.sky.root, this.ambient, this.sun, this.sun.target);
    // Of the depth between near and far: 4 cm. Shadows are cast by faces away from the sun, so that more is not needed.
    this.sun.shadow.bias = -0.0001;
    this.sun.shadow.normalBias = 0.02;
    this.sun.shadow.radius = 1.4;
    this.sun.shadow.camera.near = 1;
    this.sun.shadow.camera.far = 420;
    this.applyQuality();
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  /**
   * Draws a picture with the shadows centred on `focus`; an overview has them farther but coarser.
   *
   * A software renderer that is busy with the last picture is left in peace.
   *
   * @returns Whether there is a new picture.
   */
  render(focus: Vector3, seconds: number, overview: boolean): boolean {
    const now = performance.now();
    const paced = this.quality.software;
    if (paced && !this.pacer.ready(now)) return false;
    this.reach(overview ? OVERVIEW_REACH_M : STREET_REACH_M);
    this.followSun(focus);
    this.sky.update(seconds);
    this.renderer.render(this.scene, this.camera);
    if (paced) this.pacer.drawn(now);
    return true;
  }

  /** Lights rooms while the viewer is under a roof. */
  shelter(under: boolean, dtS: number): void {
    this.inside += ((under ? 1 : 0) - this.inside) * (1 - remaining(dtS, 0.3));
    this.ambient.intensity = OUTDOORS + (INDOORS - OUTDOORS) * this.inside;
    this.ambient.color.copy(OPEN_SKY).lerp(LAMPLIGHT, this.inside);
  }

  /** Takes the time since the last picture and lowers the quality when that is too long. */
  judge(ms: number): void {
    if (this.quality.drawn(ms)) this.applyQuality();
  }

  private applyQuality(): void {
    const { shadowPx, pixelRatio, patterns } = this.quality.current;
    showPatterns(patterns);
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio, pixelRatio));
    this.renderer.shadowMap.enabled = this.sun.castShadow = shadowPx > 0;
    this.sun.shadow.map?.dispose();
    this.sun.shadow.map = null;
    this.sun.shadow.mapSize.set(shadowPx || 1, shadowPx || 1);
    this.resize();
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    // A narrow window would otherwise see a slit of the world.
    this.camera.fov = this.camera.aspect < 1 ? 72 : 58;
    this.camera.updateProjectionMatrix();
  }

  private reach(metres: number): void {
    const box = this.sun.shadow.camera;
    if (box.right === metres) return;
    box.left = box.bottom = -metres;
    box.right = box.top = metres;
    box.updateProjectionMatrix();
  }

  /** Moves the shadow box in whole shadow pixels, so that edges of shadows don't crawl. */
  private followSun(focus: Vector3): void {
    const step = (2 * this.sun.shadow.camera.right) / (this.quality.current.shadowPx || 1024);
    const at = this.sun.target.position;
    at.set(Math.round(focus.x / step) * step, Math.round(focus.y), Math.round(focus.z / step) * step);
    this.sun.position.copy(at).addScaledVector(SUN, 210);
  }
}

/** Asks a context of its own, because the picture's is made to fit the answer; empty without WebGL. */
function gpuName(): string {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return "";
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return name;
}
