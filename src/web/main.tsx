/**
 * The web page: shows itself.
 *
 * @module
 */

import { render } from "preact";

const place = document.getElementById("page");
if (place) render(<p>Encrypted chat</p>, place);
