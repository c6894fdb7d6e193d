"""The style sheet of the page: on a screen by day and by night, and on paper.

Figures keep the colours they have on paper, and so stand on a light card at night.
"""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1a; --soft: #5a5a57; --paper: #fff; --line: #d5d4cf;
  --shade: #f5f4f0; --link: #005a8c; --pass: #00704f; --fail: #b3261e; --open: #8a6100; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e5df; --soft: #a9a79f; --paper: #191a1c;
  --line: #3d3e41; --shade: #232427; --link: #7cc4ee; --pass: #5fcf9f; --fail: #ff8f85;
  --open: #e6b94d; } figure .plate { filter: brightness(.93); } }
* { box-sizing: border-box; }
body { font: 16px/1.5 Georgia, "Times New Roman", serif; color: var(--ink);
  background: var(--paper); max-width: 62rem; margin: 2rem auto 4rem; padding: 0 1.2rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin-bottom: .6rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 .6rem; padding-top: .7rem;
  border-top: 1px solid var(--line); }
h3, caption { font-size: 1rem; font-weight: bold; text-align: left; margin: 1.4rem 0 .3rem; }
caption { padding: .3rem 0; white-space: nowrap; }
a { color: var(--link); }
nav ol { columns: 20rem; padding-left: 1.4rem; margin: .6rem 0; font-size: .95rem; }
nav li { break-inside: avoid; }
figure { margin: 1rem 0; }
figure .plate { background: #fff; color: #1b1b1a; border: 1px solid var(--line);
  border-radius: .3rem; padding: .6rem; text-align: center; }
figure svg { display: inline-block; width: 100%; height: auto; }
figcaption { font-size: .92rem; margin-top: .4rem; }
.wide { overflow-x: auto; background:
  linear-gradient(to right, var(--paper) 30%, transparent) left / 2.4rem 100%,
  linear-gradient(to left, var(--paper) 30%, transparent) right / 2.4rem 100%,
  linear-gradient(to right, var(--line), transparent) left / .6rem 100%,
  linear-gradient(to left, var(--line), transparent) right / .6rem 100%;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums;
  margin: .5rem 0 1rem; }
th, td { padding: .16rem 1rem .16rem 0; text-align: right; vertical-align: top;
  white-space: nowrap; }
tbody .words, thead th { white-space: normal; }
tbody .words { min-width: 9rem; }
thead th { vertical-align: bottom; }
sub { font-size: .72em; line-height: 0; }
.many { font-size: .78rem; } .many th, .many td { padding-right: .55rem; }
thead th { border-bottom: 1px solid var(--soft); font-weight: normal; color: var(--soft); }
tbody th { font-weight: normal; }
th:first-child, td:first-child, .words { text-align: left; }
td:last-child, th:last-child { padding-right: 0; }
pre { font: .82rem/1.45 ui-monospace, Menlo, Consolas, monospace; background: var(--shade);
  border-radius: .3rem; padding: .8rem; overflow-x: auto; }
summary { cursor: pointer; margin: .4rem 0; }
.note { color: var(--soft); font-size: .82rem; }
.pass { color: var(--pass); } .fail { color: var(--fail); font-weight: bold; }
.open { color: var(--open); }
.banner { border-left: .3rem solid; padding: .4rem .8rem; font-size: 1.1rem; }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --line: #bbb;
    --shade: #f5f4f0; --link: #000; --pass: #00593f; --fail: #a01f18; --open: #6e4e00; }
  @page { size: A4; margin: 16mm 15mm 18mm; }
  html { font-size: 9.5pt; }
  body { font-size: 1rem; line-height: 1.4; max-width: none; margin: 0; padding: 0; }
  h2 { margin-top: 2rem; }
  h2, h3, caption, summary { break-after: avoid; }
  figure, tr, pre, .banner { break-inside: avoid; }
  figure .plate { border: 0; padding: 0; filter: none; }
  pre { white-space: pre-wrap; } table { font-size: .8rem; }
  .many { font-size: .7rem; } .many th, .many td { padding-right: .5rem; }
  .wide { overflow: visible; background: none; } tbody .words { min-width: 0; }
  a { text-decoration: none; } summary { list-style: none; }
}
"""
