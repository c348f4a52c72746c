/** `window.ecumene`: plain numbers about the page, for tests and the curious. */

import type { Game } from "./game";

/** Returns getters that answer with the state of this moment. */
export function debugHandle(game: Game) {
  return {
    get status() {
      return game.net.status;
    },
    get entity() {
      return game.company.entity;
    },
    get epoch() {
      return game.epoch;
    },
    get tick() {
      return game.company.tracks.newest;
    },
    /** Own predicted place in the server's frame, metres. */
    get position(): [number, number, number] {
      return [game.own.x, game.own.y, game.own.z];
    },
    get yaw() {
      return game.own.yaw;
    },
    /** The server's last word on where we are, or null. */
    get serverPosition(): [number, number, number] | null {
      const last = game.company.tracks.byId.get(game.company.entity)?.last;
      return last ? [last.x, last.y, last.z] : null;
    },
    get people() {
      return game.company.people.count;
    },
    get tags() {
      return game.labels.shown;
    },
    get quality() {
      return game.stage.quality.current.name;
    },
    get sceneLoaded() {
      return game.place.scenery !== null;
    },
    get drawCalls() {
      return game.stage.renderer.info.render.calls;
    },
    get triangles() {
      return game.stage.renderer.info.render.triangles;
    },
    get rttMs() {
      return game.clock.rttMs;
    },
    get latenessMs() {
      return game.clock.latenessMs;
    },
    /** Everybody in view of the server's frames, as drawn. */
    entities() {
      return [...game.company.tracks.byId.values()].map((track) => ({
        id: track.id,
        title: game.company.people.get(track.id)?.title ?? "",
        x: track.pose.x,
        y: track.pose.y,
        z: track.pose.z,
        speed: track.pose.speed,
        posture: track.last.posture,
        emote: track.last.emote,
        visitor: track.last.visitor,
      }));
    },
    /** Where the camera is, three.js frame. */
    get eye(): number[] {
      return game.stage.camera.position.toArray();
    },
    things: () => game.things.list,
    camera: game.view,
  };
}
