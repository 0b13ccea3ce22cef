/** The report's whole style sheet: screen light and dark, phone, paper (A4 and Letter). No fonts and pictures from elsewhere. */
export const STYLE = `
:root{--ink:#1b1f24;--soft:#5b6470;--paper:#fffefb;--wash:#f4f2ec;--line:#dcd8cd;--accent:#0b5f59;--mark:#b4490f;color-scheme:light dark}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e8e6e1;--soft:#a3a7ad;--paper:#15181b;--wash:#1f2428;--line:#363c42;--accent:#6cc9c0;--mark:#f0975f}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.6 Charter,"Bitstream Charter","Source Serif 4","DejaVu Serif",Georgia,serif;overflow-wrap:anywhere}
main,header,nav,footer{max-width:880px;margin:0 auto;padding:0 24px}
header{padding-top:56px}
h1,h2,h3,h4,th,nav,.figures,.meta,.tag,.chart,figcaption,.skip{font-family:"Inter","Segoe UI","Helvetica Neue","DejaVu Sans",Arial,sans-serif}
h1{font-size:2.1rem;line-height:1.18;letter-spacing:-.02em;margin:.2em 0 .4em;text-wrap:balance}
h2{font-size:1.45rem;line-height:1.25;margin:2.6em 0 .7em;padding-top:.5em;border-top:3px solid var(--ink);letter-spacing:-.01em}
h3{font-size:1.08rem;line-height:1.35;margin:1.6em 0 .3em}
h4{font-size:.82rem;text-transform:uppercase;letter-spacing:.07em;color:var(--soft);margin:1.6em 0 .4em}
p{margin:.5em 0 .9em}
a{color:var(--accent);text-underline-offset:2px}
:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
.skip{position:absolute;left:-9999px}.skip:focus{left:16px;top:16px;background:var(--paper);padding:8px 14px;z-index:1}
.meta{color:var(--soft);font-size:.86rem}
.tag{display:inline-block;border:1px solid currentColor;color:var(--mark);border-radius:3px;padding:0 .5em;font-size:.78rem;font-weight:600}
.notice{border-left:4px solid var(--mark);background:var(--wash);padding:.7em 1em;margin:1.2em 0;font-size:.94rem}
.answer{font-size:1.2rem;line-height:1.55}
.recommend{background:var(--wash);border-left:4px solid var(--accent);padding:1em 1.2em;margin:1.2em 0}
.recommend p:last-child{margin-bottom:0}
.figures{display:grid;grid-template-columns:repeat(3,1fr);gap:1px;margin:1.6em 0;padding:1px}
.figures div{outline:1px solid var(--line);padding:14px 16px}
.figures dt{font-size:.78rem;color:var(--soft)}.figures dd{margin:0}.figures .big{font-size:1.5rem;font-weight:700;letter-spacing:-.02em;line-height:1.3;font-variant-numeric:tabular-nums}.figures .note{font-size:.76rem;color:var(--soft);line-height:1.35}
main nav{padding:0}.recommend h3{margin-top:0}nav ol{columns:2;column-gap:32px;padding-left:1.3em;font-size:.92rem}nav ol ol{columns:1}nav li{break-inside:avoid}
.scroll{overflow-x:auto;margin:1em 0;border:1px solid var(--line);overflow-wrap:normal}
table{border-collapse:collapse;width:100%;font-size:.86rem;line-height:1.4}
th,td{padding:7px 10px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tr:last-child>*{border-bottom:0}
thead th{background:var(--wash);font-size:.76rem;white-space:nowrap}
tbody th{font-weight:600;min-width:8em}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.c,th.c{text-align:center}
/* Where a table scrolls, the site of the row stays in sight. */
tr>th:first-child{position:sticky;left:0}tbody th{background:var(--paper)}
td.long{min-width:14em}
.yes,.no{white-space:nowrap}.yes{color:var(--accent);font-weight:700}.no{color:var(--soft)}
figure{margin:1.4em 0}figcaption{font-size:.82rem;color:var(--soft);margin-top:.4em}
.chart{display:block;width:100%;min-width:640px;height:auto;padding:8px 10px}
.chart.narrow{min-width:0;max-width:580px}.scroll+.scroll{margin-top:-1px}
.chart text{fill:var(--ink);font-size:12px}.chart .axis{fill:var(--soft);font-size:11px}.chart .label{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}.chart .value{font-variant-numeric:tabular-nums}
.chart .grid{stroke:var(--line);stroke-width:1}.chart .range{stroke:var(--accent);stroke-width:2;opacity:.45}.chart .leader{stroke:var(--soft);stroke-width:1;opacity:.6}
.chart .dot{fill:var(--accent);stroke:var(--paper);stroke-width:1.5}.chart .dot.from{fill:var(--paper);stroke:var(--accent);stroke-width:2}.chart .lane{fill:var(--wash)}
.chart .step{fill:none;stroke:var(--ink);stroke-width:2}
.material{border-left:4px solid var(--mark);background:var(--wash);padding:.5em 1em;margin:.8em 0}.material ul{margin:0}.material h3{margin:.1em 0 .3em}.day{white-space:nowrap}
details{margin:.6em 0}summary{cursor:pointer;font-weight:600}
.cite,.number{font-family:"Inter","Segoe UI","Helvetica Neue","DejaVu Sans",Arial,sans-serif;font-size:.72rem;font-variant-numeric:tabular-nums;white-space:nowrap}.cite{vertical-align:.25em;padding:0 .15em}.cites .cite{vertical-align:baseline}.number{color:var(--soft);margin-right:.3em}
.claims{list-style:none;padding-left:0}.claims li{margin:.5em 0;scroll-margin-top:12px}.claims li:target,span:target{background:var(--wash);outline:2px solid var(--mark);outline-offset:3px}.claims li>.meta{display:block;font-size:.76rem}
.crop{display:block;max-width:100%;height:auto;border:1px solid var(--line);margin:.3em 0}
.insights{list-style:none;padding:0;margin:0}.insights li{padding:.2em 0 .7em;border-bottom:1px solid var(--line);break-inside:avoid}.insights h3{margin-top:.7em}.insights p{margin:.2em 0}
blockquote{margin:.4em 0;padding:.1em 0 .1em .9em;border-left:2px solid var(--line);color:var(--soft);font-style:italic;font-size:.94rem}
.shot{display:block;width:100%;max-width:720px;height:auto;border:1px solid var(--line)}
.swatches{display:block;border:1px solid var(--line);height:22px;width:100%;max-width:720px}
ul.plain{padding-left:1.1em}ul.plain li{margin:.2em 0}
.digest{font-family:"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.78rem}
footer{padding-bottom:64px}
@media (max-width:640px){body{font-size:16px}main,header,nav,footer{padding-left:16px;padding-right:16px}header{padding-top:28px}h1{font-size:1.6rem}.answer{font-size:1.08rem}.figures{grid-template-columns:1fr 1fr}.figures .big{font-size:1.2rem}nav ol{columns:1}table{font-size:.8rem}th,td{padding:6px 8px}tbody th{min-width:0}td.long{min-width:11em}}
@page{margin:18mm 16mm 20mm;@bottom-right{content:counter(page) " / " counter(pages);font:9px "DejaVu Sans",Arial,sans-serif;color:#5b6470}}
@media print{body{font-size:10.5pt;background:none}main,header,nav,footer{max-width:none;padding:0}header{padding-top:0}.skip{display:none}h2,h3,h4{break-after:avoid}.answer{font-size:12.5pt}figure>.scroll,tr,blockquote,.recommend,.notice,.figures div{break-inside:avoid}.page{break-before:page}.keep,main li{break-inside:avoid}#competitors>.page:first-of-type{break-before:auto}tr>th:first-child{position:static}.page>h3:first-child{margin-top:0;font-size:1.3rem}.scroll{overflow:visible;border:0}.chart{min-width:0;padding:0}table{font-size:8.5pt}th,td{padding:4px}td.long,tbody th{min-width:0}tbody td,tbody th{overflow-wrap:anywhere}thead{display:table-header-group}thead th{white-space:normal;font-size:7pt}a{color:inherit;text-decoration:none}.shot{max-height:62mm;width:auto;max-width:100%}#competitors>p{display:none}#competitors>.page:first-of-type .shot{max-height:42mm}.swatches{height:12px}details::details-content{content-visibility:visible;block-size:auto}summary{list-style:none}.crop{max-height:24mm;width:auto}.claims li{margin:.25em 0}.page h4{margin:.7em 0 .15em}.page p,.page ul{margin:.2em 0 .4em}.page blockquote{margin:.15em 0}h2{margin-top:1.4em}}
`;
