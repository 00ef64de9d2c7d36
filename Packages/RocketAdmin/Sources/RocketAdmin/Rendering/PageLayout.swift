import RocketRPC
import RocketSystem

/// A whole page around its contents, or only the part that changes. A value.
struct PageLayout {
    let page: AdminPage
    let view: AdminView
    let contents: PageContents
    /// The target of the request, which the script asks for again.
    let target: RequestTarget

    /// What the page may do, for a nonce: run the script and the style with it, ask its own server,
    /// and nothing else.
    static func policy(nonce: String) -> String {
        """
        default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; \
        connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
        frame-ancestors 'none'
        """
    }

    /// The document.
    ///
    /// - Parameter nonce: of the header Content-Security-Policy: letters, digits, `+`, `/`, `=`.
    func document(nonce: String) -> HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(page.title) · \(view.program.name)</title>
        <link rel="icon" href="\(Self.icon)">
        <style nonce="\(nonce)">\(PageStyle.text)</style>
        </head>
        <body>
        <a class="skip" href="#content">To the contents</a>
        <header>
        <div class="name"><a href="/">\(view.program.name)</a> \(state)</div>
        <nav aria-label="Pages">\(navigation)</nav>
        <div class="clock">\(clock)</div>
        </header>
        <main id="content">
        <h1>\(page.title)</h1>
        <p class="summary">\(page.summary)</p>
        \(contents.controls)<div id="live">
        \(contents.live)</div>
        </main>
        <footer><p>\(program) <a href="\(page.jsonPath)\(query)">This page as JSON</a>
        <a href="/metrics">Metrics for Prometheus</a></p></footer>
        <script nonce="\(nonce)">\(PageScript.text)</script>
        </body>
        </html>

        """
    }

    /// The part that the script puts in place each second.
    var fragment: HTML {
        """
        <div id="live">
        \(contents.live)</div><div class="state">\(state)</div><div class="time">\(time)</div>

        """
    }

    private var query: String {
        target.query.text.isEmpty ? "" : "?\(target.query.text)"
    }

    private var navigation: HTML {
        HTML(
            AdminPage.allCases.map { other in
                let current: HTML = other == page ? " aria-current=\"page\"" : ""
                return "<a href=\"\(other.path)\"\(current)>\(other.title)</a>"
            })
    }

    private var state: HTML {
        let (text, tone): (String, Table.Tone) =
            switch view.server.state {
            case .notStarted: ("not started", .warning)
            case .running: ("running", .good)
            case .draining: ("draining", .warning)
            case .stopped: ("stopped", .bad)
            }
        return "<span class=\"t \(tone.rawValue)\">\(text)</span>"
    }

    private var time: HTML {
        """
        <time datetime="\(Quantity.timestamp(view.server.time))">\
        \(String(Quantity.timeOfDay(view.server.time).prefix(8))) UTC</time>
        """
    }

    private var clock: HTML {
        """
        <span id="time">\(time)</span> <button id="pause" type="button" hidden \
        aria-pressed="false">Pause</button>
        """
    }

    private var program: HTML {
        let version: HTML = view.program.version.isEmpty ? "" : " \(view.program.version)"
        return "<span>\(view.program.name)\(version), process \(Int(view.program.processID))</span>"
    }

    /// A dot of the page's colour: without an icon, browsers ask for /favicon.ico.
    private static let icon =
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
        + "%3Cpath d='M8 1c3 2 4 5 4 8l2 3-3 .5L8 15l-3-2.5L2 12l2-3c0-3 1-6 4-8z' "
        + "fill='%232f6fde'/%3E%3C/svg%3E"
}
