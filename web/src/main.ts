/** Begins the page. */

import "./style/page.css";
import "./style/join.css";
import "./style/hud.css";
import "./style/drawer.css";
import { debugHandle } from "./debug";
import { Game } from "./game";

const game = new Game();
game.start();
Object.assign(window, { ecumene: debugHandle(game) });
