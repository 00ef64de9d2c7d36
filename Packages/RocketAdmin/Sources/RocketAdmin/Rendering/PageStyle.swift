/// The style of the pages. One column; system typefaces; figures of one width; colour for states only.
/// Tables scroll in boxes of their own, so that the document is never wider than the window.
enum PageStyle {
    static let text: HTML = """
        :root {
          color-scheme: light dark;
          --back: #f7f8fa; --box: #fff; --edge: #e1e4ea; --text: #1b2230; --soft: #5a6475;
          --faint: #667085; --link: #1f5fc9; --good: #17723b; --warning: #8a5300; --bad: #b3261e;
          --goodback: #e3f4e9; --warningback: #fdf0d9; --badback: #fce8e6; --plainback: #eceff4;
          --line: #2f6fde; --area: #2f6fde22; --track: #e4e8ef; --hover: #f1f4f9;
          --s1: #9aa4b5; --s2: #5b8def; --s3: #2f6fde; --s4: #d08a1d; --s5: #4aa37c; --s6: #8f6bd0; --full: #e0a11b;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --back: #11151c; --box: #181d26; --edge: #2a3140; --text: #e6e9ef; --soft: #a5afc0;
            --faint: #98a2b3; --link: #82b1ff; --good: #6fd195; --warning: #f0b35c; --bad: #ff8a80;
            --goodback: #163523; --warningback: #3b2b10; --badback: #431d1a; --plainback: #262d3a;
            --line: #6ea2ff; --area: #6ea2ff26; --track: #2b3342; --hover: #1f2530;
            --s1: #6b7588; --s2: #7aa5f5; --s3: #5089ee; --s4: #d79a3e; --s5: #5cb58d; --s6: #a687e0; --full: #e0a94a;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--back); color: var(--text);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
          font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%; }
        a { color: var(--link); text-decoration: none; }
        a:hover { text-decoration: underline; }
        :focus-visible { outline: 2px solid var(--line); outline-offset: 2px; border-radius: 4px; }
        code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
        .skip { position: absolute; left: -999px; }
        .skip:focus { left: 1rem; top: .5rem; background: var(--box); padding: .25rem .75rem; z-index: 2; }
        header { display: flex; align-items: center; gap: .25rem 1.5rem; flex-wrap: wrap;
          padding: .6rem 1.5rem 0; background: var(--box); border-bottom: 1px solid var(--edge); }
        header .name { font-weight: 650; font-size: 1.05rem; white-space: nowrap; padding-bottom: .5rem; }
        header .name a { color: inherit; margin-right: .3rem; } header .name .t { vertical-align: .08em; }
        nav { display: flex; overflow-x: auto; flex: 1 1 30rem; min-width: 0; scrollbar-width: none; }
        nav a { padding: .45rem .7rem .55rem; color: var(--soft); white-space: nowrap;
          border-bottom: 2px solid transparent; }
        nav a:hover { color: var(--text); text-decoration: none; }
        nav a:focus-visible { outline-offset: -3px; }
        nav a[aria-current] { color: var(--text); border-color: var(--line); font-weight: 600; }
        .clock { color: var(--soft); white-space: nowrap; font-size: .87rem; padding-bottom: .5rem; }
        main { max-width: 96rem; margin: 0 auto; padding: 1.25rem 1.5rem 2rem; }
        h1 { font-size: 1.35rem; line-height: 1.3; margin: 0; letter-spacing: -.01em; }
        h2 { font-size: 1rem; margin: 1.75rem 0 .6rem; }
        h3 { font-size: .84rem; font-weight: 500; color: var(--soft); margin: 0; }
        .summary { color: var(--soft); margin: .1rem 0 1.1rem; }
        .count { color: var(--faint); font-weight: 400; font-size: .87rem; margin-left: .25rem; }
        .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: .9rem; }
        .card { position: relative; display: flex; flex-direction: column; background: var(--box);
          border: 1px solid var(--edge); border-radius: 10px; padding: .85rem 1rem 0; overflow: hidden; }
        .card .value { font-size: 1.7rem; line-height: 1.25; font-weight: 600; margin: .1rem 0 0;
          letter-spacing: -.02em; }
        .card .details { display: flex; flex-wrap: wrap; gap: 0 .9rem; margin: 0 0 .85rem;
          font-size: .84rem; color: var(--faint); }
        .card .pending { margin: auto 0 .75rem; font-size: .84rem; color: var(--faint); }
        .spark { display: block; width: calc(100% + 2rem); height: 2.6rem; margin: auto -1rem 0; }
        .spark .line { fill: none; stroke: var(--line); stroke-width: 1.5; vector-effect: non-scaling-stroke;
          stroke-linejoin: round; }
        .spark .area { fill: var(--area); stroke: none; }
        .wide { display: block; width: calc(100% + 2rem); height: 5px; margin: auto -1rem 0; }
        .meter { margin-right: .5rem; vertical-align: .1em; }
        .share { display: inline-block; min-width: 4.6em; }
        .stages { display: block; border-radius: 3px; }
        .track { fill: var(--track); }
        .fill.good, .fill.neutral { fill: var(--line); } .fill.warning { fill: var(--full); }
        .fill.bad { fill: var(--bad); }
        .queue { fill: var(--s1); } .decode { fill: var(--s2); } .handler { fill: var(--s3); }
        .output { fill: var(--s4); } .encode { fill: var(--s5); } .flush { fill: var(--s6); }
        .scroll { overflow-x: auto; background: var(--box); border: 1px solid var(--edge); border-radius: 10px; }
        table { border-collapse: collapse; width: 100%; font-size: .9rem; }
        th, td { text-align: left; padding: .42rem .85rem; white-space: nowrap; }
        th { font-weight: 500; font-size: .82rem; color: var(--soft); border-bottom: 1px solid var(--edge); }
        th a { color: inherit; }
        th[title] { cursor: help; }
        th[aria-sort] { color: var(--text); font-weight: 650; }
        th[aria-sort=ascending] a::after { content: " \\2191"; }
        th[aria-sort=descending] a::after { content: " \\2193"; }
        tbody tr + tr td { border-top: 1px solid var(--edge); }
        tbody tr:hover td { background: var(--hover); }
        .n { text-align: right; }
        .z { color: var(--faint); }
        .bad { color: var(--bad); } .warning { color: var(--warning); } .good { color: var(--good); }
        .t { display: inline-block; padding: 0 .5rem; border-radius: 99px; font-size: .84rem; font-weight: 500;
          line-height: 1.5; background: var(--plainback); color: var(--text); }
        .t.quiet { background: none; padding: 0; color: var(--faint); font-weight: 400; }
        .t.good { background: var(--goodback); color: var(--good); }
        .t.warning { background: var(--warningback); color: var(--warning); }
        .t.bad { background: var(--badback); color: var(--bad); }
        .empty { margin: 0; padding: 1.6rem 1rem; text-align: center; color: var(--soft); background: var(--box);
          border: 1px dashed var(--edge); border-radius: 10px; }
        .legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; margin: 0 0 -1rem; color: var(--soft);
          font-size: .84rem; }
        .legend svg { margin-right: .35rem; }
        .note { color: var(--soft); font-size: .9rem; margin: .5rem 0; }
        .attention { background: var(--box); border: 1px solid var(--edge); border-left: 4px solid var(--full);
          border-radius: 10px; padding: .75rem 1rem; margin-bottom: .9rem; }
        .attention h2 { margin: 0 0 .25rem; }
        .attention ul { margin: 0; padding-left: 1.1rem; }
        .attention li { color: var(--text); overflow-wrap: anywhere; }
        .attention li::marker { color: var(--full); }
        .attention li.bad::marker { color: var(--bad); }
        .attention a { font-weight: 600; margin-right: .35rem; }
        .controls { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .9rem; margin: 0 0 1rem;
          font-size: .9rem; color: var(--soft); }
        .controls label { display: inline-flex; align-items: center; gap: .4rem; max-width: 100%; }
        input, select, button, .button { font: inherit; font-size: .9rem; color: var(--text); background: var(--box);
          border: 1px solid var(--edge); border-radius: 7px; padding: .25rem .6rem; min-height: 2.1rem; max-width: 100%; }
        select { max-width: min(100%, 18rem); }
        input.short { width: 6rem; }
        button, .button { cursor: pointer; display: inline-flex; align-items: center; }
        button:hover, .button:hover { border-color: var(--line); text-decoration: none; }
        #pause { min-height: 0; padding: .05rem .55rem; margin-left: .5rem; }
        .paused #time, .lost #time { color: var(--warning); }
        .lost #time::after { content: " · no answer"; }
        footer { max-width: 96rem; margin: 0 auto; padding: 0 1.5rem 2rem; font-size: .84rem; color: var(--faint); }
        footer p { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0; }
        @media (max-width: 40rem) {
          header { padding: .6rem 1rem 0; gap: .25rem .5rem; } header .name { font-size: .95rem; } header .name a { margin: 0; } .clock { font-size: .8rem; } main { padding: 1rem 1rem 1.5rem; } footer { padding: 0 1rem 1.5rem; }
          header .clock { order: 2; margin-left: auto; } nav { order: 3; flex-basis: 100%; margin: 0 -1rem; padding: 0 .5rem; }
          .cards { grid-template-columns: repeat(auto-fill, minmax(min(100%, 10rem), 1fr)); gap: .6rem; }
          .card { padding: .7rem .8rem 0; } .card .value { font-size: 1.4rem; }
        }
        @media (prefers-reduced-motion: no-preference) { .fill { transition: width .3s; } }
        """
}
