"""How the page looks: light and dark, wide and narrow, on screen and on paper."""

CSS = """
:root {
  color-scheme: light dark;
  --paper: #fcfbf8; --card: #ffffff; --ink: #1c1d20; --soft: #5b5e66; --line: #dedbd3; --grid: #e9e6df;
  --clean: #0072b2; --swapped: #c65a00; --good: #0072b2; --bad: #c65a00; --right: #00795a; --wrong: #c43c00;
  --rest: #c9c6bd; --shade: 0 114 178; --mark: #1c1d20;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --card: #1d2024; --ink: #eceae4; --soft: #a5a8af; --line: #363a40; --grid: #2a2e33;
    --clean: #5bb4ea; --swapped: #f2a45c; --good: #5bb4ea; --bad: #f2a45c; --right: #2dbd92; --wrong: #ff8657;
    --rest: #4b5057; --shade: 70 160 220; --mark: #eceae4;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 70rem; padding: 0 clamp(1rem, 4vw, 2.5rem) 3rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  overflow-wrap: break-word; font-variant-numeric: tabular-nums;
}
small { display: block; color: var(--soft); font-size: .8125rem; font-weight: 400; line-height: 1.35; }
code { font-family: var(--mono); }
h1, h3, dd, li, figcaption, .verdict p, .plain { min-width: 0; overflow-wrap: anywhere; }
cite { display: block; color: var(--soft); font-size: .8125rem; font-style: normal; }
.none { color: var(--soft); font-style: italic; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

header { padding: 2.75rem 0 1.25rem; border-bottom: 1px solid var(--line); }
h1 { margin: 0 0 1.25rem; font-size: clamp(1.15rem, 2.6vw, 1.6rem); line-height: 1.3; font-weight: 600; }
h1 span {
  display: block; font-size: .8125rem; letter-spacing: .09em; text-transform: uppercase; color: var(--soft);
}
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; margin: 0; }
dt { color: var(--soft); font-size: .8125rem; }
dd { margin: 0; }
section { padding-top: 2.75rem; }
h2 { margin: 0 0 .35rem; font-size: 1.375rem; line-height: 1.25; letter-spacing: -.01em; scroll-margin-top: 1rem; }
h3 { margin: 0 0 .75rem; font-size: 1.0625rem; }
.lead { margin: 0 0 1.25rem; color: var(--soft); max-width: 44rem; text-wrap: pretty; }
.note { margin: 1.25rem 0 0; padding: .6rem .9rem; border-left: 3px solid var(--bad); background: var(--card); }

#short, #do { font-size: .8125rem; letter-spacing: .09em; text-transform: uppercase; color: var(--soft); }
section:has(> #short), section:has(> #do) { padding-top: 1.75rem; }
.plain {
  margin: 0 0 1.25rem; max-width: 52rem; font-size: clamp(1.4rem, 3.2vw, 2rem); line-height: 1.2; font-weight: 650;
  letter-spacing: -.015em; text-wrap: balance;
}
.within { margin: -.75rem 0 1.75rem; max-width: 46rem; }
.grade { display: flex; gap: 1.1rem; align-items: flex-start; margin: 0 0 1.25rem; }
.grade p { margin: 0; max-width: 46rem; }
.letter {
  flex: none; min-width: 3.5rem; height: 3.5rem; padding: 0 .6rem; border: 3px solid var(--ink); border-radius: 8px;
  text-align: center; font-size: 2.25rem; line-height: 3.15rem;
}
.before-after {
  display: grid; grid-template-columns: repeat(2, minmax(0, 24rem)); gap: 1rem 2.5rem; margin: 0 0 .5rem;
}
.before-after ~ .lead { margin-top: .6rem; }
.before-after > div { display: grid; grid-template-columns: 1fr 1.5rem 1fr; gap: .5rem; }
.arrow { align-self: center; text-align: center; font-size: 1.5rem; }
.steps { margin: 0; padding-left: 1.4rem; max-width: 60rem; }
.steps li { margin-bottom: .8rem; }
.steps p { margin: 0; }
pre {
  margin: .4rem 0 0; padding: .5rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--card); border: 1px solid var(--line); border-radius: 6px; font: .8125rem/1.5 var(--mono);
}
.whole { white-space: nowrap; }
pre .whole { display: inline-block; max-width: 100%; white-space: inherit; }
.sheet { display: grid; grid-template-columns: repeat(4, 1fr); gap: .6rem; margin-top: 1.25rem; }
.reader {
  margin: 3.5rem 0 -1.25rem; padding-top: 1.25rem; border-top: 3px solid var(--ink); font-size: 1.125rem;
  font-weight: 650;
}
.verdict p { margin: 0 0 .75rem; max-width: 48rem; }
.strip-of-numbers {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1px;
  background: var(--line); border: 1px solid var(--line); border-radius: 6px; overflow: hidden;
}
.strip-of-numbers div { padding: .9rem 1.1rem; background: var(--card); }
.strip-of-numbers span { display: block; font-size: .875rem; }
.strip-of-numbers b {
  display: block; font-size: clamp(1.5rem, 2.7vw, 1.875rem); line-height: 1.25; letter-spacing: -.02em;
}
.clean b { color: var(--clean); }
.swapped b { color: var(--swapped); }
nav { display: flex; flex-wrap: wrap; gap: .35rem 1.25rem; margin-top: 1.5rem; font-size: .9375rem; }
a { color: var(--clean); text-underline-offset: .2em; }

.box { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; font-weight: 400; }
thead th { color: var(--soft); font-size: .8125rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 2rem; }
.matrix { table-layout: fixed; }
.matrix th { padding: .35rem .6rem .35rem 0; }
.matrix caption { text-align: left; font-weight: 650; }
.matrix thead td { width: 20%; padding: 0; border: 0; }
.matrix tbody th { color: var(--soft); font-size: .8125rem; padding-top: .9rem; }
.matrix thead th { padding-left: .8rem; }
.matrix td { padding: .75rem .8rem; border: 3px solid var(--paper); border-radius: 8px; }
.matrix b { display: block; font-size: 1.375rem; line-height: 1.3; }
.matrix small { color: inherit; }
.matrix em { display: block; margin-top: .4rem; font-size: .8125rem; line-height: 1.3; }

.chart { table-layout: fixed; min-width: 50rem; }
.chart thead th, .chart th[scope=row], .chart td { padding: .4rem .9rem; line-height: 1.3; vertical-align: middle; }
.chart thead th:nth-child(1) { width: 28%; }
.chart thead th:nth-child(n + 3) { width: 13%; }
.chart thead th:last-child { width: 14%; }
.chart th[scope=row] { padding-left: 1.75rem; }
.chart .group > * { border-top: 1px solid var(--line); padding: .75rem .9rem .4rem; vertical-align: bottom; }
.chart .group strong { font-weight: 650; }
.chart .drawn { position: relative; min-height: 30px; }
.chart .drawn > svg { position: absolute; left: 1.25rem; width: calc(100% - 2.5rem); bottom: 0; }
.counts { color: var(--soft); font-size: .8125rem; }
.number b, .other b { font-weight: 650; white-space: nowrap; }
.chart td.number, .chart td.other { padding-right: .25rem; }
svg { display: block; overflow: visible; }
.tick { stroke: var(--grid); }
.mark { stroke: var(--mark); stroke-width: 1.25; stroke-dasharray: 3 3; }
.range { stroke-width: 3; stroke-linecap: round; opacity: .55; }
.range.good { stroke: var(--good); }
.range.bad { stroke: var(--bad); }
.range.open { stroke: var(--soft); }
.dot.good { fill: var(--good); }
.dot.bad { fill: var(--bad); }
.dot.open { fill: var(--soft); }
text { font-size: .75rem; fill: var(--soft); }
.tick-number { text-anchor: middle; }
.name { fill: var(--ink); }
.end { text-anchor: end; }

.variance th, .variance td { padding: .55rem .9rem; vertical-align: middle; }
.variance th { white-space: nowrap; }
.variance .number { text-align: right; white-space: nowrap; }
.variance td.drawn { width: 45%; min-width: 9rem; }
.key { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; }
.key.photo { background: var(--good); }
.key.background { background: var(--bad); }
.key.rest { background: var(--rest); }
rect.photo { fill: var(--good); }
rect.background { fill: var(--bad); }
rect.rest { fill: var(--rest); }
.counted { margin: .6rem 0 0; color: var(--soft); font-size: .8125rem; }

.classes th, .classes td { padding: .35rem .9rem; }
.classes caption { padding: .75rem .9rem .35rem; text-align: left; font-weight: 650; }
.box + .box, .box + details { margin-top: 1.25rem; }
.box + h3, details + h3 { margin-top: 2rem; }

.row { padding: 1.1rem 0 1.25rem; border-top: 1px solid var(--line); break-inside: avoid; }
.row h3 code { display: block; color: var(--soft); font-size: .8125rem; font-weight: 400; }
.strip {
  --query: 2; --found: 5; --all: calc(var(--query) + var(--found)); display: grid; gap: 1.5rem; align-items: start;
  grid-template-columns:
    calc((100% - .5rem * (var(--all) + 1)) / var(--all) * var(--query) + .5rem * (var(--query) - 1)) 1fr;
}
.alone { --query: 1; }
.explained { --query: 3; --found: 6; }
.strip + .strip { margin-top: .9rem; }
.query, .found { display: grid; gap: .5rem; grid-template-columns: repeat(var(--query), 1fr); }
.found { grid-template-columns: repeat(var(--found), 1fr); }
figure { margin: 0; min-width: 0; }
figcaption { padding-top: .2rem; font-size: .75rem; line-height: 1.25; color: var(--soft); }
.picture { position: relative; }
img { display: block; width: 100%; height: auto; border-radius: 4px; }
.right img, .wrong img { border: 4px solid var(--right); }
.wrong img { border-color: var(--wrong); }
.sign {
  position: absolute; right: 0; bottom: 0; width: 1.5rem; height: 1.5rem; border-radius: 4px 0 4px 0;
  background: var(--right); color: var(--paper); text-align: center; line-height: 1.5rem; font-weight: 700;
}
.wrong .sign { background: var(--wrong); }

.lists { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem 1.5rem; margin: 0 0 1.25rem; align-items: start; }
details { border: 1px solid var(--line); border-radius: 6px; background: var(--card); padding: .55rem .9rem; }
summary { cursor: pointer; }
details ul { max-height: 16rem; overflow-y: auto; margin: .5rem 0 0; padding-left: 1.1rem; }
details li { font: .8125rem/1.5 var(--mono); }
section > dl { columns: 2; column-gap: 2.5rem; margin: 0 0 2rem; }
section > dl > div { break-inside: avoid; padding-bottom: 1rem; }
section > dl dt { color: var(--ink); font-size: 1rem; font-weight: 650; }
section > ul { max-width: 48rem; padding-left: 1.1rem; }
section > ul li { margin-bottom: .4rem; }
footer {
  margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .8125rem;
}

@media screen and (max-width: 56rem) {
  header { padding-top: 1.5rem; }
  .strip-of-numbers { grid-template-columns: 1fr 1fr; }
  .strip-of-numbers div { padding: .7rem .8rem; }
  .pair, .lists, .strip { grid-template-columns: 1fr; }
  .before-after { grid-template-columns: minmax(0, 24rem); }
  .sheet { grid-template-columns: 1fr 1fr; }
  .strip { gap: .6rem; }
  .strip + .strip { margin-top: 1.25rem; }
  section > dl { columns: 1; }
  .matrix td { padding: .6rem; }
  .query, .found { grid-template-columns: repeat(3, 1fr); }
  .chart, .chart tbody { display: block; min-width: 0; }
  .chart thead, .chart .rest, .chart .group.on .drawn { display: none; }
  .chart tr { display: flex; flex-wrap: wrap; column-gap: .75rem; padding: .35rem .9rem; }
  .chart tr > th, .chart .counts { flex: 1; }
  .chart tbody { padding-bottom: .5rem; }
  .chart tr > *, .chart tr > th[scope], .chart tr > td.number, .chart tr > td.other, .chart .group > * {
    padding: 0; border: 0;
  }
  .chart tbody + tbody, .chart tbody:first-of-type { border-top: 1px solid var(--line); }
  .chart tr.group { padding-top: .7rem; }
  .chart .group > *, .chart tr > .drawn { flex: 0 0 100%; }
  .chart .drawn { height: 30px; order: 2; }
  .chart .drawn > svg { left: .5rem; width: calc(100% - 1rem); }
  .chart .group .drawn { margin-top: .35rem; }
  .chart .number, .chart .other { text-align: right; white-space: nowrap; }
  .chart .number small, .chart .other small { display: inline; margin-left: .4em; }
  .chart .counts, .chart .other { order: 3; font-size: .8125rem; align-self: flex-start; }
  .chart .other { order: 4; }
  .chart .other::before { content: attr(data-heading) " "; color: var(--soft); }
  .variance, .variance tbody { display: block; }
  .variance tr { display: grid; grid-template-columns: repeat(3, 1fr); padding: .4rem .9rem; }
  .variance th, .variance td, .variance td.drawn { padding: .1rem 0; width: auto; text-align: left; }
  .variance th { white-space: nowrap; }
  .variance .number { text-align: left; white-space: normal; }
  .variance thead th:not(.number) { display: none; }
  .variance tbody th, .variance .drawn { grid-column: 1 / -1; }
}
@media print {
  :root { color-scheme: light; }
  html { font-size: 11px; }
  body { max-width: none; padding: 0; background: none; }
  .chart { min-width: 0; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  nav { display: none; }
  section { padding-top: 1.5rem; }
  h2, h3, .lead, .reader, .group, p:has(+ .box), p:has(+ .lists), .lists { break-after: avoid; }
  p, tbody, tr, li, pre, figure, details, dl > div, .box, .sheet, .grade, .before-after, .strip-of-numbers, .pair {
    break-inside: avoid;
  }
  p, li { orphans: 3; widows: 3; }
  .sheet { grid-template-columns: repeat(4, 1fr); }
  details::details-content { content-visibility: visible; block-size: auto; }
  .box, details ul { overflow: visible; max-height: none; }
}
"""
