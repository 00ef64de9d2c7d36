/// Reads one file and the environment into a `RocketConfig`, and collects all errors and warnings.
struct ConfigReader {
    private(set) var issues: [ConfigIssue] = []
    /// The most issues that are reported; further ones are counted: each costs time.
    private static let issueLimit = 100
    private var omitted: (count: Int, severity: ConfigIssue.Severity) = (0, .warning)
    private let file: String
    private let folder: ConfigFolder
    private let environment: [String: String]
    /// Variables that are not UTF-8, and the offset of their first such byte.
    private let malformed: [String: Int]
    private var origins: [String: ConfigOrigin] = [:]
    /// The names of all variables of fields, and the prefixes of their names.
    private var knownVariables: Set<String> = []
    private var variablePrefixes: Set = ["ROCKET_STUBS_"]

    init(file: String, environment: [String: String], malformed: [String: Int] = [:]) {
        self.file = file
        self.environment = environment
        self.malformed = malformed
        folder = ConfigFolder(ofFile: file)
    }

    /// Returns the configuration, which can be used when no issue is an error.
    mutating func config(
        from xml: [UInt8], sections types: [any ConfigSection.Type]
    ) -> RocketConfig {
        var config = RocketConfig()
        let root: XMLElement
        do {
            root = try XMLReader.root(of: xml)
        } catch {
            report(.error, (error.line, error.column), "", error.reason)
            return config
        }
        guard root.name == "root" else {
            report(
                .error, root, "", "found <\(root.name)>; allowed: <root> as the outermost element")
            return config
        }
        let names = ["log", "server", "admin", "trace", "stubs"] + types.map { $0.elementName }
        let parts = children(of: root, at: "root", names: names)
        config.log = section(LogConfig.self, parts["log"]?.first, .section("log"))
        config.server = section(ServerConfig.self, parts["server"]?.first, .section("server"))
        config.admin = section(AdminConfig.self, parts["admin"]?.first, .section("admin"))
        config.trace = section(TraceConfig.self, parts["trace"]?.first, .section("trace"))
        config.stubs = parts["stubs"]?.first.map { stubs(in: $0) } ?? []
        for type in types { config.sections.append(application(type, parts)) }
        warnAboutVariables()
        issues.sort { $0.origin.isBefore($1.origin) }
        reportOmitted()
        config.origins = origins
        return config
    }

    private mutating func application<Section: ConfigSection>(
        _ type: Section.Type, _ parts: [String: [XMLElement]]
    ) -> any ConfigSection {
        let name = type.schema.name
        return section(type, parts[name]?.first, .section(name))
    }

    // MARK: Elements

    /// Returns the children by name, each at most once unless its name is among the repeated ones.
    /// Reports all other content.
    private mutating func children(
        of element: XMLElement, at path: String, names: [String], repeated: [String] = []
    ) -> [String: [XMLElement]] {
        warnAboutContent(of: element, path)
        var found: [String: [XMLElement]] = [:]
        for child in element.children {
            if !names.contains(child.name) {
                warnUnknown(child, at: path, names)
            } else if let first = found[child.name]?.first, !repeated.contains(child.name) {
                report(
                    .error, child, "\(path)/\(child.name)",
                    "is a duplicate; the first one is on line \(first.line)")
            } else {
                found[child.name, default: []].append(child)
            }
        }
        return found
    }

    private mutating func warnUnknown(_ child: XMLElement, at path: String, _ names: [String]) {
        let isShown = issues.count < Self.issueLimit
        let hint = isShown ? NearestName.hint(for: child.name, in: names) : ""
        report(.warning, child, "\(path)/\(child.name)", "is unknown and is ignored\(hint)")
    }

    private mutating func warnAboutContent(of element: XMLElement, _ path: String) {
        if !element.text.isEmpty {
            report(
                .warning, element, path,
                "found the text \(element.text.quotedForMessage) between elements; it is ignored")
        }
        warnAboutAttribute(of: element, path)
    }

    private mutating func warnAboutAttribute(of element: XMLElement, _ path: String) {
        guard let name = element.attribute else { return }
        report(
            .warning, element, path,
            "found the attribute \(name.quotedForMessage); attributes are ignored")
    }

    // MARK: Sections

    /// Reads a section from its element, then from the environment.
    private mutating func section<Section: ConfigSection>(
        _ type: Section.Type, _ element: XMLElement?, _ place: ConfigPlace
    ) -> Section {
        let found = element.map { children(of: $0, at: place.file, type.schema) } ?? [:]
        var section = Section()
        let before = issues.count
        fill(&section, from: found, place)
        finish(&section, before: before, origin(of: element), place.file)
        return section
    }

    private mutating func children<Section>(
        of element: XMLElement, at path: String, _ schema: ConfigSchema<Section>
    ) -> [String: [XMLElement]] {
        children(
            of: element, at: path, names: schema.fields.map(\.name) + schema.elements.map(\.name),
            repeated: schema.elements.filter(\.isRepeated).map(\.name))
    }

    private mutating func fill<Section: ConfigSection>(
        _ section: inout Section, from found: [String: [XMLElement]], _ place: ConfigPlace
    ) {
        for field in Section.schema.fields {
            if let child = found[field.name]?.first {
                read(
                    child, field, into: &section, place.file, "\(place.entry)/\(field.name)")
            }
            override(field, of: &section, place)
        }
        for inner in Section.schema.elements {
            inner.read(&self, found[inner.name] ?? [], &section, place)
        }
    }

    /// Reads a section that may be missing: nil unless its element or one of its variables exists.
    mutating func optional<Section: ConfigSection>(
        _ type: Section.Type, _ element: XMLElement?, _ place: ConfigPlace
    ) -> Section? {
        let names = place.variables.map { prefix in
            type.schema.fields.map { ConfigSchema<Section>.variable(prefix, $0.name) }
        }
        knownVariables.formUnion(names ?? [])
        let isSet = names?.contains { environment[$0] != nil || malformed[$0] != nil } == true
        return element != nil || isSet ? section(type, element, place) : nil
    }

    /// Reads the sections of all elements, whose values for `id` must differ.
    mutating func repeated<Section: ConfigSection>(
        _ type: Section.Type, _ elements: [XMLElement], _ place: ConfigPlace,
        id: any KeyPath<Section, String> & Sendable, _ idName: String
    ) -> [Section] {
        var lines: [String: Int] = [:]
        return elements.map { element in
            // Read first, because the path of the entries contains it.
            var probe = Section()
            let text = element.children.first { $0.name == idName }?.text ?? ""
            if let field = type.schema.fields.first(where: { $0.name == idName }),
                field.read(text, &probe)
            {
                field.resolve(&probe, folder)
            }
            var place = place
            place.entry += "/\(probe[keyPath: id])"
            let section = section(type, element, place)
            let found = section[keyPath: id]
            if !found.isEmpty, let line = lines.updateValue(element.line, forKey: found) {
                report(
                    .error, element, "\(place.file)/\(idName)",
                    "found \(found.quotedForMessage) again; the first one is on line \(line)")
            }
            return section
        }
    }

    /// Checks the rules between fields, if each field is valid, and resolves relative paths.
    private mutating func finish<Section: ConfigSection>(
        _ section: inout Section, before: Int, _ origin: ConfigOrigin, _ path: String
    ) {
        let schema = Section.schema
        let isValid = !issues[before...].contains { $0.severity == .error }
        if isValid, let broken = schema.check(section) {
            add(ConfigIssue(severity: .error, origin: origin, path: path, message: broken))
        }
        for field in schema.fields { field.resolve(&section, folder) }
    }

    private mutating func read<Section: ConfigSection>(
        _ child: XMLElement, _ field: ConfigField<Section>, into section: inout Section,
        _ filePath: String, _ entryPath: String
    ) {
        let path = "\(filePath)/\(field.name)"
        warnAboutAttribute(of: child, path)
        if let name = field.partName {
            guard readParts(child, name, field, into: &section, path) else { return }
            origins[entryPath] = origin(of: child)
            return
        }
        if let inner = child.children.first {
            let message = "found the element <\(inner.name)>; allowed: \(field.allowed)"
            return report(.error, inner, path, message)
        }
        guard field.read(child.text, &section) else {
            return report(.error, child, path, Self.mismatch(child.text, field.allowed))
        }
        origins[entryPath] = origin(of: child)
    }

    /// Reads a value whose parts are elements of their own. Anything else in the element is an error:
    /// it could be a rule with a misspelt name.
    private mutating func readParts<Section: ConfigSection>(
        _ element: XMLElement, _ name: String, _ field: ConfigField<Section>,
        into section: inout Section, _ path: String
    ) -> Bool {
        let other = element.children.first { $0.name != name }
        if other != nil || !element.text.isEmpty {
            let found = other.map { "the element <\($0.name)>" } ?? element.text.quotedForMessage
            report(.error, other ?? element, path, "found \(found); allowed: elements <\(name)>")
            return false
        }
        for part in element.children {
            warnAboutAttribute(of: part, "\(path)/\(name)")
            guard let inner = part.children.first else { continue }
            report(
                .error, inner, "\(path)/\(name)",
                "found the element <\(inner.name)>; allowed: text")
            return false
        }
        guard let error = field.readParts(element.children.map(\.text), &section) else {
            return true
        }
        let wrong = error.index < element.children.count ? element.children[error.index] : element
        report(.error, wrong, "\(path)/\(name)", error.message)
        return false
    }

    private mutating func override<Section: ConfigSection>(
        _ field: ConfigField<Section>, of section: inout Section, _ place: ConfigPlace
    ) {
        guard let prefix = place.variables, field.name != place.fixed else { return }
        let path = place.entry
        let name = ConfigSchema<Section>.variable(prefix, field.name)
        knownVariables.insert(name)
        variablePrefixes.insert(ConfigSchema<Section>.variable(prefix, ""))
        if let offset = malformed[name] {
            let message = "byte \(offset) of the value, from 0, is not UTF-8"
            return add(
                ConfigIssue(
                    severity: .error, origin: .environment(name),
                    path: "root/\(path)/\(field.name)", message: message))
        }
        guard let text = environment[name] else { return }
        guard field.read(text.trimmingSpaces, &section) else {
            let message = Self.mismatch(text, field.allowed)
            add(
                ConfigIssue(
                    severity: .error, origin: .environment(name),
                    path: "root/\(path)/\(field.name)",
                    message: message))
            return
        }
        origins["\(path)/\(field.name)"] = .environment(name)
    }

    private static func mismatch(_ found: String, _ allowed: String) -> String {
        found.isEmpty
            ? "is empty; allowed: \(allowed)"
            : "found \(found.quotedForMessage); allowed: \(allowed)"
    }

    // MARK: Stubs

    private mutating func stubs(in element: XMLElement) -> [StubConfig] {
        warnAboutContent(of: element, "root/stubs")
        let name = StubConfig.schema.name
        var stubs: [StubConfig] = []
        var lines: [String: Int] = [:]
        var owners: [String: String] = [:]
        for child in element.children {
            guard child.name == name else {
                warnUnknown(child, at: "root/stubs", [name])
                continue
            }
            let stub = stub(child)
            if !stub.name.isEmpty, let line = lines.updateValue(child.line, forKey: stub.name) {
                report(
                    .error, child, "root/stubs/\(name)/name",
                    "found \(stub.name.quotedForMessage) again; "
                        + "the stub on line \(line) has this name"
                )
            }
            reportSharedVariable(of: stub, child, &owners)
            stubs.append(stub)
        }
        return stubs
    }

    /// Reports a stub whose variables are also those of another one, such as `order-1` and
    /// `order.1`: a variable could not tell which of them it overrides.
    ///
    /// - Parameter owners: the first stub of each variable.
    private mutating func reportSharedVariable(
        of stub: StubConfig, _ element: XMLElement, _ owners: inout [String: String]
    ) {
        guard !stub.name.isEmpty else { return }
        var shared: (variable: String, other: String)?
        for field in StubConfig.schema.fields where field.name != "name" {
            let variable = ConfigSchema<StubConfig>.variable("stubs_\(stub.name)", field.name)
            let owner = owners[variable] ?? stub.name
            owners[variable] = owner
            if owner != stub.name, shared == nil { shared = (variable, owner) }
        }
        guard let (variable, other) = shared else { return }
        report(
            .error, element, "root/stubs/\(StubConfig.schema.name)/name",
            "found \(stub.name.quotedForMessage); the stub \(other.quotedForMessage) has the same "
                + "environment variable, \(variable): choose names that differ in a letter or digit"
        )
    }

    /// Reads a stub. Its name is read first, because entries and variables contain it.
    private mutating func stub(_ element: XMLElement) -> StubConfig {
        let schema = StubConfig.schema
        let filePath = "root/stubs/\(schema.name)"
        let found = children(of: element, at: filePath, schema)
        let before = issues.count
        let name = found["name"]?.first?.text ?? ""
        let place = ConfigPlace(
            file: filePath, entry: "stubs/\(name)",
            variables: name.isEmpty ? nil : "stubs_\(name)", fixed: "name")
        var stub = StubConfig()
        fill(&stub, from: found, place)
        finish(&stub, before: before, origin(of: element), filePath)
        return stub
    }

    // MARK: Environment

    /// Reports unknown variables with the prefix of a section. Other variables with the prefix
    /// ROCKET_ may belong to other programs.
    private mutating func warnAboutVariables() {
        let names = Set(environment.keys).union(malformed.keys)
        for name in names.sorted() where !knownVariables.contains(name) {
            guard variablePrefixes.contains(where: { name.hasPrefix($0) }) else { continue }
            let hint = NearestName.hint(for: name, in: knownVariables.sorted())
            add(
                ConfigIssue(
                    severity: .warning, origin: .environment(name), path: "",
                    message: "is unknown and is ignored\(hint)"))
        }
    }

    // MARK: Issues and their origins

    private mutating func add(_ issue: ConfigIssue) {
        if issues.count < Self.issueLimit { return issues.append(issue) }
        omitted.count += 1
        if issue.severity == .error { omitted.severity = .error }
    }

    private mutating func reportOmitted() {
        guard omitted.count > 0 else { return }
        issues.append(
            ConfigIssue(
                severity: omitted.severity, origin: origin(of: nil), path: "",
                message: "\(omitted.count) more issues are omitted"))
    }

    private func origin(of element: XMLElement?) -> ConfigOrigin {
        .file(file, line: element?.line ?? 0, column: element?.column ?? 0)
    }

    private mutating func report(
        _ severity: ConfigIssue.Severity, _ element: XMLElement, _ path: String, _ message: String
    ) {
        report(severity, (element.line, element.column), path, message)
    }

    private mutating func report(
        _ severity: ConfigIssue.Severity, _ at: (line: Int, column: Int), _ path: String,
        _ message: String
    ) {
        let origin = ConfigOrigin.file(file, line: at.line, column: at.column)
        add(
            ConfigIssue(severity: severity, origin: origin, path: path, message: message))
    }
}

extension ConfigSection {
    fileprivate static var elementName: String { schema.name }
}
