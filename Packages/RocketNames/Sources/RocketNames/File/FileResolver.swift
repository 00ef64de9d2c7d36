public import RocketBase
public import RocketReactor
public import RocketRPC
import RocketSystem

/// Finds servers by a file, which is watched: `file:/etc/rocket/orders`, `file:orders.servers` (relative
/// to the working folder). Any thread.
///
/// Each line is one server: `ADDRESS [weight=N] [zone=Z]`, or JSON as in etcd
/// (`{"Addr":"10.0.0.1:80","Metadata":{"zone":"a"}}`); `#` begins a comment. A file that can't be read,
/// or has a line that is wrong or without line end, is a failure: the channel keeps its last list. At
/// most 4 MiB and 10,000 servers.
///
/// Each channel has a thread `rocket-names` that reads the file, which may hang; it ends with the
/// channel. Where the kernel does not report changes (network file systems), they are found within 10
/// seconds.
public struct FileResolver: RPCResolver {
    /// A resolver of files.
    public init() {}

    /// `file`.
    public var schemes: [String] { ["file"] }

    /// Checks that the name is a path. The file need not exist.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR.
    public func check(_ target: RPCTarget) throws(RPCError) { _ = try Self.path(of: target) }

    /// Begins to watch the file of a name. On the channel's loop; does not wait for the file.
    public func start(
        _ target: RPCTarget, on reactor: Reactor, report: RPCResolverReport
    ) -> any RPCResolution {
        FileResolution(path: (try? Self.path(of: target)) ?? target.name, report)
    }

    /// Returns the path that a name is.
    static func path(of target: RPCTarget) throws(RPCError) -> String {
        guard target.authority.isEmpty else {
            throw RPCError(
                .peerAddress, "'\(target)' names a host: expected file:PATH or file:///PATH")
        }
        if target.name.utf8.contains(0) {
            throw RPCError(.peerAddress, "'\(target)' contains a NUL")
        }
        return target.name
    }
}

/// A file that is watched for a channel. Bound to the channel's loop; its thread has the watch, the
/// path and the report only.
private final class FileResolution: RPCResolution {
    private let path: String
    private let report: RPCResolverReport
    private var watch: FolderWatch?

    init(path: String, _ report: RPCResolverReport) {
        self.path = path
        self.report = report
        start()
    }

    /// Without effect: each change of the file is reported.
    func refresh() {}

    func cancel() {
        watch?.end()
        watch = nil
    }

    private func start() {
        do throws(SystemError) {
            let watch = try FolderWatch()
            let (path, report) = (path, report)
            let thread = try SystemThread(name: "rocket-names") {
                FileWatch(path: path, watch: watch, report: report).run()
            }
            // A file that hangs must not hold up the loop, so nothing waits for the thread.
            thread.detach()
            self.watch = watch
        } catch {
            report.failed(RPCError(.unavailable, "\(path) can't be watched", cause: error))
        }
    }
}

/// What the thread of a resolution does.
private struct FileWatch {
    let path: String
    let watch: FolderWatch
    let report: RPCResolverReport

    /// How long a file must not change before it is read: it may be written in parts.
    private static let settlingTime = Duration.milliseconds(20)
    /// How many changes in a row are waited for.
    private static let maxSettling = 10
    /// How often the file is read without a reported change.
    private static let interval = Duration.seconds(10)
    /// The same where its folder does not exist.
    private static let intervalUnwatched = Duration.seconds(1)

    func run() {
        var servers = FileServers(path: path)
        do throws(SystemError) {
            while true {
                let unwatched = watch.watch([FileSystem.folder(of: path)])
                read(&servers)
                switch try watch.wait(
                    atMost: unwatched.isEmpty ? Self.interval : Self.intervalUnwatched)
                {
                case .ended: return
                case .timeout: continue
                case .changed: if try !settle() { return }
                }
            }
        } catch {
            report.failed(RPCError(.unavailable, "\(path) is not watched any more", cause: error))
        }
    }

    /// - Returns: false after the end.
    private func settle() throws(SystemError) -> Bool {
        for _ in 0..<Self.maxSettling {
            switch try watch.wait(atMost: Self.settlingTime) {
            case .ended: return false
            case .timeout: return true
            case .changed: continue
            }
        }
        return true
    }

    private func read(_ servers: inout FileServers) {
        let result: Result<[UInt8], SystemError>
        do throws(SystemError) {
            result = .success(try FileContents.read(path, limit: FileServers.maxBytes))
        } catch {
            result = .failure(error)
        }
        switch servers.take(result) {
        case nil: break
        case .success(let endpoints): report.found(endpoints)
        case .failure(let error): report.failed(error)
        }
    }
}
