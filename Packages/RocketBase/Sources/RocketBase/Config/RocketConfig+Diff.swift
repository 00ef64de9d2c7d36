/// The differences between two configurations, separated by the time at which they take effect.
public struct ConfigDiff: Hashable, Sendable {
    /// One changed value.
    public struct Change: Hashable, Sendable, CustomStringConvertible {
        /// The path of the value: `server/port`, `stubs/order/timeout`.
        public let path: String
        /// The old text; nil for a field of a new stub.
        public let old: String?
        /// The new text; nil for a field of a removed stub.
        public let new: String?

        /// `server/port: 12345 -> 12346`
        public var description: String { "\(path): \(old ?? "none") -> \(new ?? "none")" }
    }

    /// The changes that can be applied while the process runs.
    public var live: [Change] = []
    /// The changes that need a restart.
    public var restart: [Change] = []

    /// Whether there are no changes.
    public var isEmpty: Bool { live.isEmpty && restart.isEmpty }
}

extension RocketConfig {
    /// Returns the changes since an older configuration, in the order of the reference file. A
    /// reload (SIGHUP) uses it like this:
    ///
    ///     let changes = new.diff(from: current)
    ///     for change in changes.restart { logger.warn("needs a restart") { … } }
    ///     current = current.adoptingLiveChanges(of: new)      // then apply it
    public func diff(from old: RocketConfig) -> ConfigDiff {
        let (before, after) = (old.entries, entries)
        let oldTexts = Dictionary(before.map { ($0.path, $0.text) }) { first, _ in first }
        let paths = Set(after.map(\.path))
        var diff = ConfigDiff()
        for entry in after where oldTexts[entry.path] != entry.text {
            let old = oldTexts[entry.path]
            diff.add(
                old == nil ? entry.presence : entry.change, entry.path, old: old, new: entry.text)
        }
        for entry in before where !paths.contains(entry.path) {
            diff.add(entry.presence, entry.path, old: entry.text, new: nil)
        }
        return diff
    }

    /// Returns this configuration with the live fields and the stubs of the newer one. Fields that
    /// need a restart keep their values, so that the next `diff` reports them again.
    public func adoptingLiveChanges(of new: RocketConfig) -> RocketConfig {
        var config = new
        config.log = log.adoptingLiveFields(of: new.log)
        config.server = server.adoptingLiveFields(of: new.server)
        config.admin = admin.adoptingLiveFields(of: new.admin)
        config.trace = trace.adoptingLiveFields(of: new.trace)
        config.sections = sections.map { $0.adoptingLiveFields(from: new) }
        for entry in entries where entry.change == .restart {
            config.origins[entry.path] = origins[entry.path]
        }
        return config
    }
}

extension ConfigSection {
    func adoptingLiveFields(of new: Self) -> Self {
        var section = self
        for field in Self.schema.fields where field.change == .live { field.copy(new, &section) }
        for inner in Self.schema.elements { inner.adopt(new, &section) }
        return section
    }

    fileprivate func adoptingLiveFields(from config: RocketConfig) -> Self {
        adoptingLiveFields(of: config[Self.self])
    }
}

extension ConfigDiff {
    fileprivate mutating func add(
        _ kind: ConfigChange, _ path: String, old: String?, new: String?
    ) {
        let change = Change(path: path, old: old, new: new)
        switch kind {
        case .live: live.append(change)
        case .restart: restart.append(change)
        }
    }
}
