/** Begins the page. */

import "./style/page.css";
import "./style/join.css";
import "./style/hud.css";
import "./style/drawer.css";
import { debugHandle } from "./debug";
import { stored } from "./dom";
import { Game } from "./game";

/** A link may bring the token to come in with, as `#token=...`; the part behind # reaches no server and no log. */
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  stored("ecumene.token").set(token);
  history.replaceState(null, "", location.pathname + location.search);
}

const game = new Game();
game.start();
Object.assign(window, { ecumene: debugHandle(game) });
