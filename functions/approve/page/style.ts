/** The review page's style: one column on a phone, pictures beside the facts on a desk; follows the reader's colour scheme. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1a1c23; --soft: #5a6070; --paper: #f7f7f4; --card: #ffffff; --line: #dcdde2; --go: #12623b; --stop: #9b1c2c; --mark: #1d4ed8; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef2; --soft: #a3a9b8; --paper: #14161b; --card: #1d2027; --line: #353a45; --go: #1d8a55; --stop: #c9384b; --mark: #8ab0ff; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .2rem 0 .4rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; } h3 { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; }
p { margin: .4rem 0; } .soft { color: var(--soft); } code { overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .6rem; margin: 1rem 0; }
dl.facts div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; min-width: 44rem; } th, td { text-align: left; vertical-align: top; padding: .55rem .7rem; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; } th { font-size: .85rem; color: var(--soft); }
.failed { color: var(--stop); }
article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem; display: grid; gap: 1rem; grid-template-columns: 18rem 1fr; }
article img { width: 100%; height: auto; border: 1px solid var(--line); border-radius: .3rem; display: block; }
blockquote { margin: .3rem 0; padding-left: .8rem; border-left: 3px solid var(--line); color: var(--soft); overflow-wrap: anywhere; }
summary { cursor: pointer; padding: .25rem 0; } ul { margin: .3rem 0; padding-left: 1.2rem; } a { color: var(--mark); }
form { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; }
label { display: block; font-weight: 600; margin-bottom: .3rem; } textarea { width: 100%; min-height: 6rem; font: inherit; padding: .5rem; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .3rem; }
button { font: inherit; font-weight: 600; color: #fff; border: 0; border-radius: .4rem; padding: .7rem 1.4rem; margin: .8rem .6rem 0 0; cursor: pointer; } .go { background: var(--go); } .stop { background: var(--stop); }
.notice { border-left: 5px solid var(--mark); background: var(--card); padding: .8rem 1rem; margin: 1rem 0; } .notice.bad { border-color: var(--stop); }
@media (max-width: 46rem) { article { grid-template-columns: 1fr; } button { width: 100%; } }
`;
