import CRocketProtobuf

// SAFETY: libprotobuf's pool is not changed once it is built, and its functions for reading may be
// called by any thread; so may those of the factory of messages. `init` publishes only a built one.

/// Services and messages without generated code: what descriptors or .proto files define, checked and
/// connected by libprotobuf. Any thread; not changed once it is created.
///
/// ```swift
/// let schema = try DynamicSchema(protoFiles: ["order.proto"], importPaths: ["Protos"])
/// let method = try schema.method(named: "Order.makeOrder")
/// let request = try schema.encode(json: #"{"price": 5}"#, as: method.request)
/// ```
@safe public final class DynamicSchema: @unchecked Sendable {
    /// Owned: freed by `deinit`.
    private let pointer: OpaquePointer
    /// The limits that it was created with.
    public let limits: DynamicSchemaLimits
    /// In the order of the files that define them.
    public let services: [DynamicService]

    /// Creates a schema from descriptors, such as those that a server's reflection returns.
    ///
    /// - Parameter descriptors: serialized `google.protobuf.FileDescriptorProto`s, in any order; of
    ///   files with the same name the first counts. What they import must be among them, except
    ///   google/protobuf/*.proto.
    /// - Throws: `DynamicSchemaError` with what is wrong with them.
    public init(
        descriptors: [[UInt8]], limits: DynamicSchemaLimits = .init()
    ) throws(DynamicSchemaError) {
        unsafe (pointer, services) = try Self.build(limits) { pointer in
            descriptors.allSatisfy { descriptor in
                // SAFETY: the bytes are read before the closure returns.
                unsafe descriptor.withUnsafeBytes {
                    unsafe rocket_protobuf_add_descriptor(pointer, $0.baseAddress, $0.count) != 0
                }
            }
        }
        self.limits = limits
    }

    /// Creates a schema from .proto files and what they import. Reads files, so it must not be called
    /// on an event loop.
    ///
    /// - Parameters:
    ///   - protoFiles: paths of files that are in one of the import paths, or names in one.
    ///   - importPaths: the folders in which imports are looked up, in their order.
    ///     google/protobuf/*.proto are found without one.
    /// - Throws: `DynamicSchemaError` with the lines that are wrong.
    public init(
        protoFiles: [String], importPaths: [String], limits: DynamicSchemaLimits = .init()
    ) throws(DynamicSchemaError) {
        unsafe (pointer, services) = try Self.build(limits) { pointer in
            for path in importPaths { unsafe rocket_protobuf_add_import_path(pointer, path) }
            return protoFiles.allSatisfy { unsafe rocket_protobuf_add_proto(pointer, $0) != 0 }
        }
        self.limits = limits
    }

    deinit { unsafe rocket_protobuf_schema_free(pointer) }

    /// - Parameter add: adds the files; returns false if one can't be added.
    private static func build(
        _ limits: DynamicSchemaLimits, _ add: (OpaquePointer) -> Bool
    ) throws(DynamicSchemaError) -> (OpaquePointer, [DynamicService]) {
        let limits = rocket_protobuf_limits(
            files: max(1, limits.files), bytes: max(1, limits.fileBytes),
            issues: DynamicSchemaError.maxIssues)
        // SAFETY: the pointer is freed here, or by whom it is returned to.
        guard let pointer = unsafe rocket_protobuf_schema_create(limits) else {
            throw DynamicSchemaError([.init("there is no memory for a schema")])
        }
        guard unsafe add(pointer), unsafe rocket_protobuf_build(pointer) != 0 else {
            let issues = unsafe issues(of: pointer)
            unsafe rocket_protobuf_schema_free(pointer)
            throw DynamicSchemaError(issues)
        }
        return unsafe (pointer, services(of: pointer))
    }

    private static func issues(of pointer: OpaquePointer) -> [DynamicSchemaError.Issue] {
        unsafe (0..<rocket_protobuf_issue_count(pointer)).map { index in
            // SAFETY: the strings are copied while the schema is unchanged.
            let issue = unsafe rocket_protobuf_issue_at(pointer, index)
            return unsafe DynamicSchemaError.Issue(
                String(cString: issue.message), file: String(cString: issue.file),
                line: Int(issue.line), column: Int(issue.column))
        }
    }

    private static func services(of pointer: OpaquePointer) -> [DynamicService] {
        unsafe (0..<rocket_protobuf_service_count(pointer)).map { service in
            // SAFETY: the strings of a schema live as long as it does, and are copied here.
            let name = unsafe String(cString: rocket_protobuf_service_name(pointer, service))
            let file = unsafe String(cString: rocket_protobuf_service_file(pointer, service))
            let methods = unsafe (0..<rocket_protobuf_method_count(pointer, service)).map {
                method in
                let method = unsafe rocket_protobuf_method_at(pointer, service, method)
                return unsafe DynamicMethod(
                    service: name, name: String(cString: method.name),
                    request: String(cString: method.request),
                    response: String(cString: method.response),
                    streamsRequests: method.streams_requests != 0,
                    streamsResponses: method.streams_responses != 0)
            }
            return DynamicService(name: name, file: file, methods: methods)
        }
    }

    /// Calls `body` with the C object, which is not freed meanwhile.
    func withPointer<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        defer { withExtendedLifetime(self) {} }
        return unsafe body(pointer)
    }
}
