import { html, type Page } from "./page.ts";

const tall = `<h1>Plans</h1><p>$9 per month</p><div style="height:3000px"></div>`;

/** Pages that move by themselves. */
export const MOVING_PAGES: Record<string, Page> = {
  // As jQuery's fadeOut, when the page is at its top again.
  "/moving-fade": html(
    `${tall}<i id="up" style="position:fixed;left:600px;top:400px;width:100px;height:100px;background:#000"></i><script>
    let began; const fade = () => { began ??= performance.now(); const left = 1 - (performance.now() - began) / 700; document.getElementById("up").style.opacity = Math.max(0, left); if (left > 0) requestAnimationFrame(fade); };
    addEventListener("scroll", () => { if (scrollY === 0) fade(); });</script>`,
  ),
  "/moving-endless": html(
    `${tall}<i id="ball" style="position:fixed;top:400px">o</i><script>setInterval(() => { document.getElementById("ball").style.left = (performance.now() % 1000) + "px"; }, 20);</script>`,
  ),
  "/moving-style": html(
    `<style>@keyframes turn { to { transform: rotate(1turn); } } .turns { animation: turn 3s linear infinite; }</style>
    ${tall}<i id="wheel" style="position:fixed;left:600px;top:400px;width:100px;height:20px;background:#000"></i>
    <script>setTimeout(() => document.getElementById("wheel").classList.add("turns"), Math.random() * 300);</script>`,
  ),
  "/moving-resized": html(
    `${tall}<script>addEventListener("resize", () => { document.body.style.background = "#000"; });</script>`,
  ),
  "/moving-stuck": html(
    `${tall}<i id="still">o</i><script>document.getElementById("still").animate([{ opacity: 0.5 }, { opacity: 1 }], 1000).playbackRate = 0;
    document.getElementById("still").animate([{ color: "red" }, { color: "blue" }], { timeline: new ScrollTimeline() });</script>`,
  ),
};
