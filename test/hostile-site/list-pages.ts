import { html, type Page } from "./page.ts";

/** Row number `at` of each list, of which every tenth is a plan. */
const rows = `const row = (at) => at % 10 === 9 ? "<h3>Plan " + at + "</h3><p>$" + at + " per month</p>" : "<b>Row " + at + "</b><p>In stock</p>";`;

/** Lists that hold only the rows that they show. */
export const LIST_PAGES: Record<string, Page> = {
  // Rows are made and thrown away while the page is scrolled, as react-window and its kind do.
  "/list-page": html(
    `<h1>Plans</h1><div id="list" style="position:relative;height:5000px"></div><footer>The end</footer><script>${rows}
    const list = document.getElementById("list");
    const draw = () => { const first = Math.max(0, Math.floor((scrollY - list.offsetTop) / 50) - 2), last = Math.min(100, first + Math.ceil(innerHeight / 50) + 4);
      list.innerHTML = ""; for (let at = first; at < last; at++) list.insertAdjacentHTML("beforeend", '<div style="position:absolute;height:50px;top:' + at * 50 + 'px">' + row(at) + "</div>"); };
    addEventListener("scroll", () => requestAnimationFrame(draw)); draw();</script>`,
  ),
  // A pool of rows that are written anew and moved, in a box that scrolls by itself; not in their order.
  "/list-pool": html(
    `<h1>Plans</h1><div id="box" style="height:400px;overflow:auto"><div id="list" style="position:relative;height:5000px"></div></div><p>The end</p><script>${rows}
    const box = document.getElementById("box"), list = document.getElementById("list");
    for (let n = 0; n < 12; n++) list.insertAdjacentHTML("beforeend", '<div style="position:absolute;height:50px"></div>');
    list.insertAdjacentHTML("beforeend", '<i style="position:absolute;top:4999px">.</i>');
    const draw = () => { const first = Math.min(88, Math.max(0, Math.floor(box.scrollTop / 50) - 2)); for (let at = first; at < first + 12; at++) { const one = list.children[at % 12]; one.style.top = at * 50 + "px"; one.innerHTML = row(at); } };
    box.addEventListener("scroll", draw); draw();</script>`,
  ),
  "/list-long": html(
    `<h1>Plans</h1><div id="box" style="height:600px;overflow:auto"><div id="list" style="position:relative;height:500000px"></div></div><script>${rows}
    const box = document.getElementById("box"), list = document.getElementById("list");
    const draw = () => { const first = Math.floor(box.scrollTop / 50); list.innerHTML = ""; for (let at = first; at < first + 13; at++) list.insertAdjacentHTML("beforeend", '<div data-agentic-style="hidden" style="position:absolute;height:50px;top:' + at * 50 + 'px">' + row(at) + "</div>"); };
    box.addEventListener("scroll", draw); draw();</script>`,
  ),
  // Figures that count up where they stand, and a list of which nothing goes.
  "/list-counts": html(
    `<h1>Plans</h1><div style="height:1500px"></div><section style="height:900px"><div><b class="n">0</b> teams</div><div><b class="n">0</b> shops</div><div><b class="n">0</b> people</div></section>
    <div style="height:300px;overflow:auto">${Array.from({ length: 60 }, (_, at) => `<p>Line ${at}</p>`).join("")}</div>
    <script>let began; addEventListener("scroll", () => { if (scrollY < 600 || began) return; began = performance.now();
      const count = () => { const part = Math.min(1, (performance.now() - began) / 400); document.querySelectorAll(".n").forEach((one, at) => { one.firstChild.data = String(Math.round(part * 1000 * (at + 1))); }); if (part < 1) requestAnimationFrame(count); }; count(); });</script>`,
  ),
};
