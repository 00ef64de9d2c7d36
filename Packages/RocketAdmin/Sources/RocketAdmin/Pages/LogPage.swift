import RocketBase

/// The levels of the log, and the form that changes them. A value.
struct LogPage {
    let view: AdminView

    var contents: PageContents {
        PageContents(controls: controls, live: live, json: json)
    }

    private func level(of stream: LogStream) -> LogLevel? {
        view.log.levels[stream].flatMap(\.self)
    }

    /// The change that is in force.
    private func change(of stream: LogStream) -> LevelChange? {
        view.log.changes[stream].flatMap { $0.level == level(of: stream) ? $0 : nil }
    }

    private var live: HTML {
        guard view.log.hasLog else { return "<p class=\"empty\">The program writes no log.</p>" }
        let statistics = view.log.statistics
        let table = Table(
            id: "log",
            columns: [
                .text("stream", "Stream"), .text("level", "Level"), .text("about", "What it has"),
                .text("changed", "Changed here at", "UTC; empty: it is that of the configuration"),
            ],
            rows: LogStream.allCases.map { stream in
                [
                    .code(stream.name),
                    level(of: stream).map { .state($0.name, .plain) } ?? .state("off", .quiet),
                    .text(Self.about(stream)),
                    change(of: stream).map { .moment($0.time) } ?? .missing,
                ]
            }, empty: "")
        let counts = Table(
            id: "lines", columns: [.text("lines", "Lines"), .number("count", "Since the start")],
            rows: [
                [.text("accepted"), .count(Int(clamping: statistics.accepted))],
                [.text("written"), .count(Int(clamping: statistics.drained))],
                [
                    .text("dropped: the backlog was full"),
                    .fault(Int(clamping: statistics.dropped)),
                ],
                [.text("lost: they could not be written"), .fault(Int(clamping: statistics.lost))],
            ], empty: "")
        return """
            <section><h2>Levels</h2>\(table.html(label: "Levels"))</section>
            <section><h2>Lines</h2>\(counts.html(label: "Lines"))</section>

            """
    }

    private static func about(_ stream: LogStream) -> String {
        switch stream {
        case .rpc: "connections and calls"
        case .app: "the program's own lines"
        }
    }

    private var controls: HTML {
        guard view.log.hasLog else { return "" }
        guard view.isWritable else {
            return """
                <p class="note">Levels can be changed here if <code>admin/writable</code> is true in the \
                configuration, which takes a restart, and in any case in its element <code>log</code>, by \
                a reload.</p>

                """
        }
        let forms = LogStream.allCases.map { stream -> HTML in
            let options = LogLevel.allCases.map { level -> HTML in
                let selected: HTML = self.level(of: stream) == level ? " selected" : ""
                return "<option\(selected)>\(level.name)</option>"
            }
            return """
                <form class="controls" method="post" action="/log"><input type="hidden" name="stream" \
                value="\(stream.name)"><label>Level of <code>\(stream.name)</code> \
                <select name="level">\(options)</select></label><button>Change</button></form>

                """
        }
        return """
            \(forms)<p class="note">Until the next reload of the configuration or restart.</p>

            """
    }

    private var json: JSON {
        .object([
            "log": .array(
                LogStream.allCases.map { stream in
                    .object([
                        "stream": .string(stream.name),
                        "level": level(of: stream).map { .string($0.name) } ?? .null,
                        "changed": change(of: stream).map {
                            .string(Quantity.timestamp($0.time))
                        } ?? .null,
                    ])
                }),
            "accepted": .integer(Int(clamping: view.log.statistics.accepted)),
            "written": .integer(Int(clamping: view.log.statistics.drained)),
            "dropped": .integer(Int(clamping: view.log.statistics.dropped)),
            "lost": .integer(Int(clamping: view.log.statistics.lost)),
        ])
    }
}
