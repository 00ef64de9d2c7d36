/// A service: a set of methods under one name. Generated service protocols refine it, and
/// generated code implements its requirements.
public protocol RPCService: Sendable {
    /// The name of the service with its protobuf package: `shop.v1.Order`.
    static var serviceName: String { get }

    /// The .proto files that describe the service, for reflection; `none` unless generated.
    static var fileDescriptors: _RPCFileDescriptors { get }

    /// Adds all methods of the service to the registry.
    func register(in registry: inout RPCServiceRegistry) throws

    /// Called when a server of the service begins to drain, which waits for all calls: streams that
    /// have no end of their own end now, best with UNAVAILABLE, so that clients go to another
    /// server. Any thread; does not wait. Default: nothing.
    func serverDrains()
}

extension RPCService {
    /// No descriptors.
    public static var fileDescriptors: _RPCFileDescriptors { .none }

    /// Nothing.
    public func serverDrains() {}
}

/// Handles one call: receives the request and returns the response or throws an error. Runs on the
/// connection's loop until it suspends for the first time.
///
/// Long `Data` of the response, of 32 KiB and more, is sent from where it is, after the handler has
/// returned. What it does not own (`bytesNoCopy`) has to stay unchanged until its deallocator is
/// called, so it needs another one than `.none`; a `prefix` holds all that it is a part of until then.
public typealias RPCHandler<Request, Response> =
    nonisolated(nonsending) @Sendable (
        Request, RPCController
    ) async throws -> Response

/// A handler that never suspends. It has no task of its own, so it must not cancel the current one. Its
/// response is as that of an `RPCHandler`.
public typealias RPCSynchronousHandler<Request, Response> =
    @Sendable (Request, RPCController) throws -> Response

/// Collects the methods of all services before a server starts.
public struct RPCServiceRegistry {
    // Interceptors are composed at registration, so that a call without any has no overhead.
    private(set) var entries: [_MethodEntry] = []
    private(set) var services: [String: String] = [:]
    private(set) var descriptors: [_RPCFileDescriptors] = []
    private var current = ""
    @usableFromInline let interceptors: [any RPCInterceptor]
    let limits: RPCCallLimits

    init(interceptors: [any RPCInterceptor] = [], limits: RPCCallLimits = RPCCallLimits()) {
        self.interceptors = interceptors
        self.limits = limits
    }

    /// Adds a service under its name.
    ///
    /// - Throws: `RPCRegistrationError` if another service has the same name.
    mutating func add(_ service: any RPCService) throws {
        let name = type(of: service).serviceName
        let type = "\(type(of: service))"
        if let other = services[name] {
            throw RPCRegistrationError(
                description: "the service '\(name)' is registered twice: by \(other) and \(type)")
        }
        services[name] = type
        current = name
        descriptors.append(Swift.type(of: service).fileDescriptors)
        try service.register(in: &self)
    }

    /// Adds a method of the service that is being registered.
    ///
    /// - Throws: `RPCRegistrationError` if the method is registered already, belongs to another
    ///   service, or has a name that is too long for C++ peers.
    @inlinable
    public mutating func add<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ handler: @escaping RPCHandler<Request, Response>
    ) throws {
        try checkUnary(method)
        // Specialized in the module of the message types, including their coding.
        let handler = interceptors.isEmpty ? handler : interceptors.around(handler)
        try append(
            method,
            .awaited { context, entry in await context._serve(entry, method, handler) })
    }

    /// Adds a method, for generated code: `serve` calls `_serve` with the same handler. Without
    /// interceptors it is called in place of the handler: each async function on the way of a call
    /// costs two changes of executor, and a closure around the handler would be one more.
    ///
    /// - Throws: the same errors as `add`.
    @inlinable
    public mutating func _add<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ handler: @escaping RPCHandler<Request, Response>,
        serve: @escaping _MethodEntry.Awaited
    ) throws {
        try checkUnary(method)
        if interceptors.isEmpty { return try append(method, .awaited(serve)) }
        try add(method, handler)
    }

    /// Adds a method with a synchronous handler: it runs on the connection's loop as soon as its
    /// request is received, without a task, and blocks the loop until it returns.
    ///
    /// With an interceptor that may suspend, the handler is served in a task.
    /// - Throws: the same errors as the `add` of asynchronous handlers.
    @inlinable
    public mutating func add<Request, Response>(
        _ method: RPCMethod<Request, Response>,
        synchronous handler: @escaping RPCSynchronousHandler<Request, Response>
    ) throws {
        try checkUnary(method)
        guard let around = interceptors.synchronous else {
            let awaited: RPCHandler<Request, Response> = { try handler($0, $1) }
            return try add(method, awaited)
        }
        let handler = around.isEmpty ? handler : around.around(handler)
        try append(
            method,
            .synchronous { context, entry, id, payload in
                guard let request = try? method.request.message(from: payload) else {
                    return context.failWithoutRequest(entry)
                }
                context.requestDecoded()
                do {
                    let response = try handler(request, context.controller)
                    context.succeed(entry, response, method.response, id)
                } catch {
                    context.fail(entry, error, method.response)
                }
            })
    }

    @usableFromInline
    func checkUnary<Request, Response>(_ method: RPCMethod<Request, Response>) throws {
        if method.kind == .unary { return }
        throw RPCRegistrationError(
            description: "'\(method.fullName)' is \(method.kind), and its handler is not")
    }

    @usableFromInline
    mutating func append<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ handler: _MethodEntry.Handler
    ) throws {
        try check(method.service, method.fullName, method.fullNameBytes)
        entries.append(
            _MethodEntry(
                method, handler,
                limits.resolved(for: method.fullName, isStreaming: method.kind != .unary),
                index: entries.count, health: HealthMethod(method.fullName)))
    }

    private func check(
        _ service: String, _ fullName: String, _ bytes: [UInt8]
    ) throws(RPCRegistrationError) {
        func refuse(_ reason: String) -> RPCRegistrationError {
            RPCRegistrationError(description: reason)
        }
        guard service == current else {
            throw refuse("'\(fullName)' is no method of the service '\(current)'")
        }
        guard fullName != CancelFrame.methodName, fullName != GoAwayFrame.methodName,
            !StreamFrame.isReserved(fullName)
        else {
            throw refuse("'\(fullName)' is no method's name: the wire format uses it")
        }
        guard !entries.contains(where: { $0.fullName == fullName }) else {
            throw refuse("the method '\(fullName)' is registered twice")
        }
        guard bytes.count <= TinyPBLimits.maxMethodNameBytes else {
            throw refuse(
                "the method name '\(fullName)' has \(bytes.count) bytes; "
                    + "\(TinyPBLimits.maxMethodNameBytes) are allowed")
        }
    }
}

/// The error of services that can't be registered together.
public struct RPCRegistrationError: Error, CustomStringConvertible {
    /// The reason, including the names of the services or methods.
    public let description: String
}
