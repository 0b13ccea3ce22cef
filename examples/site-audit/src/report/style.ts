/** The report's whole style sheet: light and dark, phone to desktop, paper. Nothing is loaded from elsewhere. */
export const STYLE = `
:root{--ink:#1c2126;--soft:#59626c;--paper:#fff;--wash:#f3f5f7;--line:#d8dde2;--link:#0a56a6;--critical:#9b1c1c;--serious:#a3430b;--moderate:#6b5406;--minor:#4a5560;--good:#1d6b3a;color-scheme:light dark}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e7eaed;--soft:#a8b0b8;--paper:#14181c;--wash:#1e242a;--line:#38414a;--link:#83b8f5;--critical:#ff9d9d;--serious:#f9ac7c;--moderate:#e3c65f;--minor:#b4bec8;--good:#7fd6a0}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 Inter,"Segoe UI","Helvetica Neue","DejaVu Sans",Arial,sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:980px;margin:0 auto;padding:0 24px}
header{padding-top:48px}
h1{font-size:2.1rem;line-height:1.2;letter-spacing:-.02em;margin:.1em 0 .3em;text-wrap:balance}
h2{font-size:1.4rem;line-height:1.25;letter-spacing:-.01em;margin:2.2em 0 .7em;padding-top:.6em;border-top:2px solid var(--ink)}
h3{font-size:1rem;margin:1.6em 0 .5em}
p{margin:.4em 0 .8em}
a{color:var(--link);text-underline-offset:2px}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-9999px}.skip:focus{left:16px;top:16px;background:var(--paper);padding:8px 14px;z-index:1}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.meta{color:var(--soft);font-size:.875rem}
.lead{font-size:1.15rem}
.notice{background:var(--wash);border-left:4px solid var(--serious);padding:.7em 1em;margin:1.2em 0;font-size:.9375rem}
.notice h3{margin:.1em 0 .3em}.notice ul{margin:.2em 0;padding-left:1.2em}
.clean{color:var(--good);font-weight:600}
blockquote{margin:.6em 0;padding:.1em 0 .1em .9em;border-left:3px solid var(--line)}
.figures{display:grid;grid-template-columns:repeat(4,1fr);gap:1px;background:var(--line);border:1px solid var(--line);margin:1.2em 0}
.figures div{background:var(--paper);padding:14px 16px;display:flex;flex-direction:column;justify-content:space-between}
.figures dt{font-size:.8125rem;color:var(--soft);line-height:1.35}.figures dd{margin:.15em 0 0;font-size:1.9rem;font-weight:700;line-height:1.1;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;border:1px solid var(--line)}
table{border-collapse:collapse;width:100%;font-size:.9rem;overflow-wrap:normal}
th,td{padding:8px 12px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child>*{border-bottom:0}
thead th{background:var(--wash);font-size:.8125rem}
tbody th{font-weight:600;white-space:nowrap;position:sticky;left:0;background:var(--paper)}
.n{text-align:right;font-variant-numeric:tabular-nums}.zero{color:var(--soft)}
.impact{display:inline-block;border:1px solid currentColor;border-radius:3px;padding:0 .45em;font-size:.75rem;font-weight:600;line-height:1.5}
.critical{color:var(--critical)}.serious{color:var(--serious)}.moderate{color:var(--moderate)}.minor{color:var(--minor)}
.first{padding-left:1.4em}.first li{margin:.5em 0}
.top{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,6fr);gap:28px;align-items:start}
.top img{width:100%;height:auto;border:1px solid var(--line);display:block}.top h3{margin-top:0}
.pages{list-style:none;margin:0;padding:0}.pages li{padding:.35em 0;border-bottom:1px solid var(--line)}
.rules{list-style:none;margin:0;padding:0}.rules>li{padding:.6em 0;border-bottom:1px solid var(--line)}
details{margin:.3em 0 0}summary{cursor:pointer;color:var(--soft);font-size:.875rem;padding:.2em 0}
.places{padding-left:1.2em;font-size:.9rem}.places li{margin:.6em 0}
code,pre{font-family:"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.8125rem}
code{background:var(--wash);padding:.1em .3em}
pre{background:var(--wash);padding:.6em .8em;margin:.4em 0;overflow-x:auto;white-space:pre-wrap}
footer{padding-top:24px;padding-bottom:56px}
@media (max-width:640px){header,main,footer{padding-left:16px;padding-right:16px}header{padding-top:28px}h1{font-size:1.6rem}.figures{grid-template-columns:1fr 1fr}.figures dd{font-size:1.5rem}.top{grid-template-columns:1fr;gap:16px}th,td{padding:7px 9px}thead th{white-space:nowrap}tbody th{white-space:normal;overflow-wrap:break-word;min-width:12em;max-width:13em}}
@media print{header,main,footer{max-width:none;padding:0}.skip{display:none}h2,h3{break-after:avoid}.rules>li,.top,tr{break-inside:avoid}tbody th{position:static}a{color:inherit}}
@page{size:A4;margin:18mm 16mm}
`;
