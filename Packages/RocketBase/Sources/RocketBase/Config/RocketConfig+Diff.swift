/// What is different between two configurations, and when it takes effect.
public struct ConfigDiff: Hashable, Sendable {
    /// One scalar that is not what it was.
    public struct Change: Hashable, Sendable, CustomStringConvertible {
        /// `server/port`, `stubs/order/timeout`.
        public let path: String
        /// As it was; nil for a field of a stub that is new.
        public let old: String?
        /// As it is; nil for a field of a stub that is gone.
        public let new: String?

        /// `server/port: 12345 -> 12346`
        public var description: String { "\(path): \(old ?? "none") -> \(new ?? "none")" }
    }

    /// What can be applied while the process runs.
    public var live: [Change] = []
    /// What needs a restart.
    public var restart: [Change] = []

    /// Whether nothing is different.
    public var isEmpty: Bool { live.isEmpty && restart.isEmpty }
}

extension RocketConfig {
    /// What changed since an older configuration, in the order of the reference file. For SIGHUP:
    ///
    ///     let changes = new.diff(from: current)
    ///     for change in changes.restart { logger.warn("needs a restart") { … } }
    ///     current = current.adoptingLiveChanges(of: new)      // and apply what is in it
    public func diff(from old: RocketConfig) -> ConfigDiff {
        let (before, after) = (old.entries, entries)
        let oldTexts = Dictionary(before.map { ($0.path, $0.text) }) { first, _ in first }
        let paths = Set(after.map(\.path))
        var diff = ConfigDiff()
        for entry in after where oldTexts[entry.path] != entry.text {
            diff.add(entry.change, entry.path, old: oldTexts[entry.path], new: entry.text)
        }
        for entry in before where !paths.contains(entry.path) {
            diff.add(entry.change, entry.path, old: entry.text, new: nil)
        }
        return diff
    }

    /// This configuration with all of the newer one's live fields and its stubs; what needs a
    /// restart stays as it is, so that the next `diff` tells of it again.
    public func adoptingLiveChanges(of new: RocketConfig) -> RocketConfig {
        var config = new
        config.log = log.adoptingLiveFields(of: new.log)
        config.server = server.adoptingLiveFields(of: new.server)
        config.sections = sections.map { $0.adoptingLiveFields(from: new) }
        for entry in entries where entry.change == .restart {
            config.origins[entry.path] = origins[entry.path]
        }
        return config
    }
}

extension ConfigSection {
    fileprivate func adoptingLiveFields(of new: Self) -> Self {
        var section = self
        for field in Self.schema.fields where field.change == .live { field.copy(new, &section) }
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
