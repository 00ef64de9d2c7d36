public import RocketBase
public import RocketRPC
import RocketSystem

/// Announces servers by lines of a file, which `FileResolver` reads: `file:/var/lib/rocket/orders`. Any
/// thread.
///
/// The file is replaced as a whole, by a rename, while a lock on `FILE.lock` is held. A server that ends
/// without withdrawing leaves its line. The folder must exist, and be writable.
public struct FileRegistrar: RPCRegistrar {
    /// A registrar of files.
    public init() {}

    /// `file`.
    public var schemes: [String] { ["file"] }

    /// Checks that the name is a path.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR.
    public func check(_ target: RPCTarget) throws(RPCError) {
        _ = try FileResolver.path(of: target)
    }

    /// Begins to announce a server, on a thread of its own. Tries again once a second while the file
    /// can't be written.
    ///
    /// - Throws: as `RPCRegistrar.register`.
    public func register(
        _ endpoint: RPCEndpoint, as target: RPCTarget, logger: RocketLogger
    ) throws(RPCError) -> any RPCRegistration {
        let entry = ServerFile(
            path: try FileResolver.path(of: target), announcement: try Announcement(of: endpoint))
        let registration = FileRegistration(entry, logger)
        try registration.start()
        return registration
    }
}

private final class FileRegistration: RPCRegistration {
    private enum State {
        case announcing, announced, withdrawing
        case withdrawn(RPCError?)
    }

    private let file: ServerFile
    private let logger: RocketLogger
    private let state = Locked(State.announcing)
    private let changed = AsyncEvent()
    /// 1: the thread that announces ends.
    private let isEnding = FutexWord()

    private static let retryInterval = Duration.seconds(1)

    init(_ file: ServerFile, _ logger: RocketLogger) {
        self.file = file
        self.logger = logger
    }

    func start() throws(RPCError) {
        do throws(SystemError) {
            try SystemThread(name: "rocket-names") { self.announce() }.detach()
        } catch {
            throw RPCError(.channelInit, "a thread can't be started", cause: error)
        }
    }

    var isAnnounced: Bool {
        state.withLock { if case .announced = $0 { true } else { false } }
    }

    func announced() async {
        await changed.wait {
            state.withLock { if case .announcing = $0 { false } else { true } }
        }
    }

    func withdraw() async throws(RPCError) {
        let isFirst = state.withLock { state in
            switch state {
            case .announcing, .announced:
                state = .withdrawing
                return true
            case .withdrawing, .withdrawn: return false
            }
        }
        if isFirst {
            isEnding.exchange(1)
            isEnding.wakeAll()
            changed.notify()
            do throws(SystemError) {
                try SystemThread(name: "rocket-names") { self.remove() }.detach()
            } catch {
                remove()
            }
        }
        await changed.wait { outcome != nil }
        if let error = outcome ?? nil { throw error }
        if outcome == nil { throw RPCError(.cancelled, "the task was cancelled") }
    }

    /// nil: not withdrawn yet.
    private var outcome: RPCError?? {
        state.withLock { if case .withdrawn(let error) = $0 { .some(error) } else { nil } }
    }

    private func announce() {
        while isEnding.value == 0 {
            do throws(SystemError) {
                // Under the file's lock, which a withdrawal takes after this.
                try file.edit { lines in
                    state.withLock { state in
                        guard case .announcing = state else { return }
                        state = .announced
                        lines = file.adding(to: lines)
                    }
                }
                if isAnnounced {
                    logger.info("server announced") {
                        $0.add("file", file.path)
                        $0.add("server", file.announcement.line)
                    }
                }
                return changed.notify()
            } catch {
                state.withLock { if case .announced = $0 { $0 = .announcing } }
                logger.throttled(.error, "server not announced")?.error("server not announced") {
                    $0.add("file", file.path)
                    $0.add("error", error.description)
                }
            }
            isEnding.wait(while: 0, atMost: Self.retryInterval)
        }
    }

    private func remove() {
        var failure: RPCError?
        do throws(SystemError) {
            try file.edit { $0 = file.removing(from: $0) }
            logger.info("server withdrawn") { $0.add("file", file.path) }
        } catch {
            failure = RPCError(.unavailable, "the server was not withdrawn", cause: error)
        }
        state.withLock { $0 = .withdrawn(failure) }
        changed.notify()
    }
}

/// The line of a server in a file. A value.
struct ServerFile {
    let path: String
    let announcement: Announcement

    /// The longest wait for the lock.
    private static let lockTime = Duration.seconds(5)
    private static let lockInterval = Duration.milliseconds(10)

    /// Returns the lines with that of the server, in place of those with its address.
    func adding(to lines: [Substring]) -> [Substring] {
        removing(from: lines) + [Substring(announcement.line)]
    }

    /// Returns the lines without those of the server's address.
    func removing(from lines: [Substring]) -> [Substring] {
        lines.filter { line in
            guard let content = FileServers.content(of: line) else { return true }
            let found =
                content.first == "{"
                ? try? Announcement(json: String(content)) : try? Announcement(line: content)
            return found?.endpoint.addresses != announcement.endpoint.addresses
        }
    }

    /// Replaces the file by one with changed lines. Blocks.
    ///
    /// - Throws: `SystemError`; ETIMEDOUT when another process holds the lock for 5 seconds.
    func edit(_ change: (inout [Substring]) -> Void) throws(SystemError) {
        let lock = try FileSystem.openForWriting("\(path).lock", mode: 0o644)
        // determinism: files are changed on a thread, which a simulation does not have
        let clock = SystemTimeSource()
        let deadline = clock.monotonic() + Self.lockTime
        let never = FutexWord()
        while !lock.lock(.exclusive) {
            if clock.monotonic() > deadline {
                throw SystemError("lock \(path).lock", Errno(rawValue: 110 /* ETIMEDOUT */))
            }
            never.wait(while: 0, atMost: Self.lockInterval)
        }
        let old = try FileSystem.status(of: path)
        let bytes = old == nil ? [] : try FileContents.read(path, limit: FileServers.maxBytes)
        if bytes.count > FileServers.maxBytes {
            throw SystemError("read \(path)", Errno(rawValue: 27 /* EFBIG */))
        }
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        if lines.last == "" { lines.removeLast() }
        let unchanged = lines
        change(&lines)
        if lines == unchanged { return }
        let new = "\(path).new"
        try FileContents.write(Array(lines.map { $0 + "\n" }.joined().utf8), to: new)
        if let mode = old?.mode { try FileSystem.setMode(new, mode & 0o777) }
        try FileSystem.rename(new, to: path)
    }
}
