/// A set of methods under one name. Generated service protocols refine it; the generated code
/// writes both members.
public protocol RPCService: Sendable {
    /// With the protobuf package: `shop.v1.Order`.
    static var serviceName: String { get }

    /// Adds every method to the registry.
    func register(in registry: inout RPCServiceRegistry) throws
}

/// What a handler is: the request goes in, the response or an error comes out. Runs on the
/// connection's loop until it suspends for the first time.
public typealias RPCHandler<Request, Response> =
    nonisolated(nonsending) @Sendable (
        Request, RPCController
    ) async throws -> Response

/// Collects the methods of all services before a server starts.
public struct RPCServiceRegistry {
    // Interceptors are composed here, so that a call pays only for those that there are.
    private(set) var handlers: [any MethodHandler] = []
    private(set) var services: [String: String] = [:]
    private var current = ""
    private let interceptors: [any RPCInterceptor]

    init(interceptors: [any RPCInterceptor] = []) { self.interceptors = interceptors }

    /// Adds a service under its name.
    ///
    /// - Throws: `RPCRegistrationError` where another one has it already.
    mutating func add(_ service: any RPCService) throws {
        let name = type(of: service).serviceName
        let type = "\(type(of: service))"
        if let other = services[name] {
            throw RPCRegistrationError(
                description: "the service '\(name)' is registered twice: by \(other) and \(type)")
        }
        services[name] = type
        current = name
        try service.register(in: &self)
    }

    /// Adds a method of the service that is being registered.
    ///
    /// - Throws: `RPCRegistrationError` for a method that is there already, belongs to another
    ///   service, or has a name that C++ peers can't hold.
    public mutating func add<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ handler: @escaping RPCHandler<Request, Response>
    ) throws {
        guard method.service == current else {
            throw RPCRegistrationError(
                description: "'\(method.fullName)' is no method of the service '\(current)'")
        }
        guard !handlers.contains(where: { $0.fullName == method.fullName }) else {
            throw RPCRegistrationError(
                description: "the method '\(method.fullName)' is registered twice")
        }
        guard method.fullNameBytes.count <= TinyPB.maxMethodNameBytes else {
            throw RPCRegistrationError(
                description: "the method name '\(method.fullName)' has "
                    + "\(method.fullNameBytes.count) bytes; \(TinyPB.maxMethodNameBytes) are allowed"
            )
        }
        handlers.append(TypedMethodHandler(method, interceptors.around(handler)))
    }
}

/// Services that can't be registered together.
public struct RPCRegistrationError: Error, CustomStringConvertible {
    /// What stands in the way, with the names concerned.
    public let description: String
}
