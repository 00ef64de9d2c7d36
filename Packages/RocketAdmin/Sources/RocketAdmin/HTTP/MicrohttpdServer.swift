import CRocketMicrohttpd
import RocketSystem

/// libmicrohttpd on one listening socket, or on sockets that it is given, with its one thread. Any thread;
/// `stop` once, at the end.
@safe
final class MicrohttpdServer: Sendable {
    struct Limits: Sendable {
        var maxConnections = 32
        var maxConnectionsPerPeer = 16
        var headerBytes = 8192
        var requestTimeout = Duration.seconds(10)

        /// The fields of a form.
        static let bodyBytes = 8192
    }

    // SAFETY: set in the initialiser, taken once under the lock by `stop`; the shim locks itself.
    private nonisolated(unsafe) let context: UnsafeMutablePointer<Handlers>
    private let httpd: Locked<Handle>

    @safe
    private struct Handle: @unchecked Sendable {
        // SAFETY: used under the lock of `httpd` only.
        nonisolated(unsafe) var pointer: OpaquePointer?
    }

    /// What the shim's callbacks reach by their context. Both run on the server's thread.
    fileprivate struct Handlers {
        let request: @Sendable (HTTPExchange) -> Void
        let log: @Sendable (String) -> Void
    }

    /// Starts the thread. Takes ownership of the descriptor, also if it throws.
    ///
    /// - Parameters:
    ///   - descriptor: nil: connections come by `add`, and the limit per peer does not hold.
    ///   - isUnix: whether a limit per peer is one per user.
    init(
        listeningOn descriptor: Int32?, isUnix: Bool, _ limits: Limits,
        log: @escaping @Sendable (String) -> Void,
        handle: @escaping @Sendable (HTTPExchange) -> Void
    ) throws(SystemError) {
        let context = UnsafeMutablePointer<Handlers>.allocate(capacity: 1)
        unsafe context.initialize(to: Handlers(request: handle, log: log))
        unsafe self.context = context
        var settings = rocket_httpd_settings(
            max_connections: UInt32(limits.maxConnections),
            max_connections_per_peer: descriptor == nil
                ? .max : UInt32(limits.maxConnectionsPerPeer),
            header_bytes: limits.headerBytes, body_bytes: Limits.bodyBytes,
            timeout_ms: limits.requestTimeout.wholeNanoseconds / 1_000_000,
            is_unix: isUnix || descriptor == nil ? 1 : 0)
        var calls = httpdCallbacks
        // SAFETY: settings and callbacks are copied; the context is freed after rocket_httpd_stop.
        guard let made = unsafe rocket_httpd_start(descriptor ?? -1, &settings, &calls, context)
        else {
            let error = Errno.current
            if let descriptor { _ = FileDescriptor(owning: descriptor) }
            unsafe context.deinitialize(count: 1)
            unsafe context.deallocate()
            httpd = Locked(unsafe Handle(pointer: nil))
            throw SystemError("MHD_start_daemon", error)
        }
        httpd = Locked(unsafe Handle(pointer: made))
    }

    /// Serves a connected socket, which is closed if it can't be: the server has stopped, or has too many.
    ///
    /// - Parameter number: `HTTPExchange.connection`; not 0.
    func add(_ socket: consuming FileDescriptor, number: UInt64) {
        let descriptor = socket.release()
        httpd.withLock { handle in
            guard let pointer = unsafe handle.pointer else {
                _ = FileDescriptor(owning: descriptor)
                return
            }
            _ = unsafe rocket_httpd_add(pointer, descriptor, number)
        }
    }

    /// Closes all connections and ends the thread. Blocks until then; not on that thread.
    func stop() {
        let taken = httpd.withLock { handle in
            let taken = unsafe Handle(pointer: handle.pointer)
            unsafe handle.pointer = nil
            return taken
        }
        guard let pointer = unsafe taken.pointer else { return }
        unsafe rocket_httpd_stop(pointer)
        // SAFETY: no callback runs after the stop.
        unsafe context.deinitialize(count: 1)
        unsafe context.deallocate()
    }

    /// Closes the connections whose time for a request has passed.
    func closeLate() {
        httpd.withLock {
            if let pointer = unsafe $0.pointer { unsafe rocket_httpd_close_late(pointer) }
        }
    }

    /// The connections now; 0 after `stop`.
    var connections: Int {
        httpd.withLock { handle in
            guard let pointer = unsafe handle.pointer else { return 0 }
            return Int(unsafe rocket_httpd_connections(pointer))
        }
    }
}

/// One request and its answer. `request` and the peer are read in the handler; `answer` is called once,
/// on any thread, then or later.
///
/// SAFETY: the shim keeps the request until it is answered, whatever becomes of its connection, and locks
/// what its thread and the answering one share.
@safe
struct HTTPExchange: @unchecked Sendable {
    // SAFETY: as above.
    private nonisolated(unsafe) let pointer: OpaquePointer

    fileprivate init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

    /// In the handler only. nil: its target is none that there could be.
    var request: HTTPRequest? {
        let method = unsafe String(cString: rocket_httpd_method(pointer))
        let text = unsafe String(cString: rocket_httpd_target(pointer))
        guard let target = RequestTarget(text) else { return nil }
        var request = HTTPRequest(method: method, target: target)
        for header in HTTPRequest.Header.allCases {
            var count: Int32 = 0
            guard let value = unsafe rocket_httpd_header(pointer, header.rawValue, &count) else {
                continue
            }
            request.headers[header] = Self.trimmed(unsafe String(cString: value))
            if count > 1 { request.repeated.insert(header) }
        }
        var count = 0
        // SAFETY: the shim's buffer holds `count` bytes, and stays during the call.
        let body = unsafe UnsafeBufferPointer(
            start: UnsafeRawPointer(rocket_httpd_body(pointer, &count))?.assumingMemoryBound(
                to: UInt8.self), count: count)
        request.body = unsafe Array(body)
        request.peer = peer
        request.isBodyTooLarge = unsafe rocket_httpd_body_is_too_large(pointer) != 0
        return request
    }

    /// The value without the spaces and tabs around it, which are no part of it (RFC 9110, 5.5).
    private static func trimmed(_ value: String) -> String {
        func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }
        return String(value.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }

    /// In the handler only: the number that its connection was added with; 0: it was accepted.
    var connection: UInt64 { unsafe rocket_httpd_number(pointer) }

    /// In the handler only: the user at the other end of a Unix socket; nil: unknown.
    var peer: PeerCredentials? {
        var (pid, uid, gid): (Int32, UInt32, UInt32) = (0, 0, 0)
        // Of other sockets the kernel says -1.
        guard unsafe rocket_httpd_peer(pointer, &pid, &uid, &gid) == 0, uid != .max else {
            return nil
        }
        return PeerCredentials(processID: pid, userID: uid, groupID: gid)
    }

    /// In the handler only: whether that user is in the group.
    func peerIsInGroup(_ id: UInt32) -> Bool {
        unsafe rocket_httpd_peer_is_in_group(pointer, id) != 0
    }

    /// Closes the connection without an answer. Once, in place of `answer`.
    func close() { unsafe rocket_httpd_answer(pointer, 0, nil) }

    /// Answers. Once.
    func answer(_ response: HTTPResponse) {
        // SAFETY: the shim copies the bytes.
        let made = unsafe (response.bytes ?? Array(response.body.utf8)).withUnsafeBytes { bytes in
            unsafe rocket_httpd_response_create(bytes.baseAddress, bytes.count)
        }
        guard let made = unsafe made else { return unsafe rocket_httpd_answer(pointer, 500, nil) }
        let type = [(name: "Content-Type", value: response.contentType)]
        for header in type + HTTPResponse.commonHeaders + response.headers {
            _ = unsafe rocket_httpd_response_header(made, header.name, header.value)
        }
        unsafe rocket_httpd_answer(pointer, UInt32(clamping: response.status), made)
    }
}

/// SAFETY: the context is the `Handlers` that the server allocates, and frees after its thread has
/// ended; texts are copied.
private let httpdCallbacks = unsafe rocket_httpd_callbacks(
    request: { context, request in
        guard let context = unsafe context, let request = unsafe request else { return }
        let handlers = unsafe context.assumingMemoryBound(to: MicrohttpdServer.Handlers.self)
        unsafe handlers.pointee.request(HTTPExchange(request))
    },
    log: { context, text in
        guard let context = unsafe context, let text = unsafe text else { return }
        let handlers = unsafe context.assumingMemoryBound(to: MicrohttpdServer.Handlers.self)
        unsafe handlers.pointee.log(String(cString: text))
    })
