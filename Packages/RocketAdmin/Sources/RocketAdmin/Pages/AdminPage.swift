/// The pages, in the order of the navigation. Each has a path, and its table at the path with `.json`.
enum AdminPage: String, CaseIterable, Sendable {
    case overview, methods, connections, channels, calls, loops, limits, configuration, log

    init?(path: String) {
        if path == "/" {
            self = .overview
            return
        }
        guard path.hasPrefix("/"), let page = AdminPage(rawValue: String(path.dropFirst())),
            page != .overview
        else { return nil }
        self = page
    }

    var path: String { self == .overview ? "/" : "/\(rawValue)" }
    var jsonPath: String { "/\(rawValue).json" }

    var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }

    /// What the page says, in one line.
    var summary: String {
        switch self {
        case .overview: "What the server does now."
        case .methods:
            "Calls by method: rates and latencies of the last 10 seconds, counts since the start."
        case .connections: "Who is connected, and what for."
        case .channels: "The servers that this program calls."
        case .calls:
            "The last calls that were slow, failed, were cancelled or are traced, and a few of all others, "
                + "with what they spent their time on."
        case .loops: "The threads that serve connections, and how busy they are."
        case .limits: "What is limited, how near it is, and how often it has refused something."
        case .configuration:
            "All settings, where each value comes from, and when a change of it counts."
        case .log: "What is written to the log."
        }
    }
}

/// The contents of a page for one request: the part that changes while it is looked at, and the rest.
struct PageContents: Sendable {
    /// Forms, which keep what is typed into them.
    var controls: HTML = ""
    var live: HTML
    var json: JSON
}

extension AdminPage {
    /// Returns the contents of the page.
    func contents(_ view: AdminView, _ query: FormFields) -> PageContents {
        switch self {
        case .overview: OverviewPage(view: view).contents
        case .log: LogPage(view: view).contents
        case .methods: MethodsPage(view: view, query: query).contents
        case .connections: contents(of: view.connectionsTable, query)
        case .channels:
            contents(of: view.channelsTable, query, more: [view.endpointsTable] + view.tracesTables)
        case .calls: CallsPage(view: view, query: query).contents
        case .loops: contents(of: view.loopsTable, query)
        case .limits: contents(of: view.limitsTable, query)
        case .configuration: contents(of: view.configurationTable, query)
        }
    }

    /// One or more tables with a filter above them.
    func contents(
        of table: Table, _ query: FormFields, more: [Table] = [], controls: HTML? = nil
    ) -> PageContents {
        var query = query
        query["live"] = nil
        let order = query["sort"].map { Table.Order($0) }
        let target = RequestTarget(path: path, query: query)
        let tables = [table] + more
        var members: [JSON.Member] = []
        var html: [HTML] = []
        for (index, table) in tables.enumerated() {
            var shown = table
            if let filter = query["filter"], !table.rows.isEmpty {
                shown = shown.filtered(by: filter)
            }
            // The links in the head are for the first table only.
            if index == 0 { shown = shown.sorted(by: order) }
            let count: HTML =
                shown.rows.count == table.rows.count
                ? "\(Quantity.count(table.rows.count))"
                : "\(Quantity.count(shown.rows.count)) of \(Quantity.count(table.rows.count))"
            html.append(
                """
                <section><h2>\(Self.heading(table.id)) <span class="count">\(count)</span></h2>
                \(shown.html(
                    label: Self.heading(table.id), sortedBy: index == 0 ? order : nil,
                    at: index == 0 ? target : nil))</section>

                """)
            members.append(JSON.Member(name: table.id, value: shown.json))
            if table.leftOut > 0 {
                members.append(JSON.Member(name: "left_out", value: .integer(table.leftOut)))
            }
        }
        return PageContents(
            controls: controls ?? Self.filterForm(path, query), live: HTML(html),
            json: .object(members))
    }

    private static func heading(_ id: String) -> String {
        id.prefix(1).uppercased() + id.dropFirst()
    }

    /// - Parameter kept: the names of fields that the form keeps.
    static func filterForm(
        _ path: String, _ query: FormFields, keeping kept: [String] = ["sort"], more: HTML = ""
    ) -> HTML {
        let sort = kept.map { name -> HTML in
            query[name].map { "<input type=\"hidden\" name=\"\(name)\" value=\"\($0)\">" } ?? ""
        }
        let clear: HTML =
            query["filter"] == nil ? "" : "<a class=\"button\" href=\"\(path)\">Clear</a>"
        return """
            <form class="controls" method="get" action="\(path)" role="search">
            <label>Filter <input type="search" name="filter" value="\(query["filter"] ?? "")" \
            autocomplete="off" spellcheck="false"></label>\(sort)
            <button>Filter</button>\(clear)\(more)
            </form>

            """
    }
}

extension RequestTarget {
    init(path: String, query: FormFields) {
        self.path = path
        self.query = query
    }
}
