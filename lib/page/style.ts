/** The style of all pages: one column on a phone, pictures beside the facts on a wide screen, in the reader's colour scheme. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1a1c23; --soft: #5a6070; --paper: #f7f7f4; --card: #ffffff; --line: #dcdde2; --go: #12623b; --stop: #9b1c2c; --redo: #2f4fb0; --bad: #9b1c2c; --mark: #1d4ed8; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef2; --soft: #a3a9b8; --paper: #14161b; --card: #1d2027; --line: #353a45; --go: #1a7a4b; --stop: #b83244; --redo: #3d5fc4; --bad: #ff8a96; --mark: #8ab0ff; --warn: #f0c36a; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .2rem 0 .4rem; overflow-wrap: anywhere; } h1.long { font-size: 1.15rem; line-height: 1.4; white-space: pre-line; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; } h3 { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; }
p { margin: .4rem 0; overflow-wrap: anywhere; } .soft { color: var(--soft); } code { font-size: .85rem; overflow-wrap: anywhere; } a { color: var(--mark); }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .6rem; margin: 1rem 0; }
dl.facts div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; overflow-wrap: anywhere; } dl.facts dd { font-weight: 600; }
dl.list { margin: .4rem 0; } dl.list div { display: grid; grid-template-columns: 9rem 1fr; gap: .2rem .8rem; padding: .25rem 0; } dl.list dt { padding-top: .1rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; } table.wide { min-width: 44rem; } table.wide td:last-child { min-width: 15rem; } th, td { min-width: 7rem; text-align: left; vertical-align: top; padding: .55rem .7rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
tr:last-child th, tr:last-child td { border-bottom: 0; } thead th { min-width: 8rem; font-size: .85rem; color: var(--soft); } td.step { min-width: 0; white-space: nowrap; } tbody th { font-weight: 400; min-width: 9rem; } thead tr:last-child th { border-bottom: 1px solid var(--line); }
td p { margin: 0 0 .3rem; } .failed { color: var(--bad); }
article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); } article.pictured { grid-template-columns: 18rem minmax(0, 1fr); }
.pictures { display: grid; gap: .6rem; align-content: start; } article img { width: 100%; height: auto; max-height: 28rem; object-fit: cover; object-position: top; border: 1px solid var(--line); border-radius: .3rem; display: block; }
blockquote { margin: .3rem 0; padding-left: .8rem; border-left: 3px solid var(--line); color: var(--soft); overflow-wrap: anywhere; white-space: pre-line; } .source { font-size: .85rem; }
.caveats { list-style: none; padding: 0; margin: .5rem 0; } .caveats li { border-left: 3px solid var(--warn); padding-left: .8rem; margin: .3rem 0; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: .25rem 0; } ul { margin: .3rem 0; padding-left: 1.2rem; } details li { margin: .3rem 0; overflow-wrap: anywhere; }
pre { margin: .5rem 0; padding: .6rem .8rem; max-height: 24rem; overflow: auto; background: var(--paper); border: 1px solid var(--line); border-radius: .3rem; font-size: .85rem; line-height: 1.45; }
form { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; }
label { display: block; font-weight: 600; margin-bottom: .3rem; } textarea { width: 100%; min-height: 6rem; font: inherit; padding: .5rem; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .3rem; }
.short { min-height: 3.2rem; } .choice { font-weight: 400; } fieldset { border: 0; margin: 0 0 .6rem; padding: .2rem 0 0 1rem; min-width: 0; } fieldset label { margin-top: .5rem; } details.fact { border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.noted { border-left: 3px solid var(--mark); padding-left: .8rem; margin: .3rem 0; overflow-wrap: anywhere; } .mark { color: var(--warn); } del { color: var(--soft); }
button { font: inherit; font-weight: 600; color: #fff; border: 0; border-radius: .4rem; padding: .7rem 1.4rem; margin: .8rem .6rem 0 0; cursor: pointer; } .go { background: var(--go); } .stop { background: var(--stop); } .redo { background: var(--redo); } .minor { background: none; color: var(--mark); border: 1px solid var(--line); padding: .45rem .9rem; }
.notice { border-left: 5px solid var(--mark); background: var(--card); padding: .8rem 1rem; margin: 1rem 0; overflow-wrap: anywhere; } .notice.bad { border-color: var(--bad); }
@media (max-width: 46rem) { article.pictured { grid-template-columns: minmax(0, 1fr); } button { width: 100%; } dl.list div { grid-template-columns: minmax(0, 1fr); gap: 0; } }
`;
