import ArgumentParser
import RocketBase
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketReactor
import RocketSystem

/// `rocket call`.
struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call a method of any server, with JSON.",
        discussion: """
            Finds out by the server's reflection what its methods are, or from a .proto file. Each \
            reply is printed as one line of JSON.

            A method is named Order.makeOrder, shop.v1.Order.makeOrder, shop.v1.Order/makeOrder or \
            just makeOrder, if only one is called so. The request is JSON, @FILE for that of a \
            file, or - for that of standard input; default: {}. A method with a stream of requests \
            takes several, or JSON lines of a file or of standard input, which is the default: each \
            line is sent when it is read. Ctrl-C cancels the call.

            An address is HOST:PORT, [IPv6]:PORT, unix:PATH, a path, or a name such as \
            dns:///orders:80, srv:, file:, etcd: and list: (docs/guides/names.md).

            EXAMPLES:
              By gRPC, with TLS and a token:
                rocket call orders:443 Order.get --grpc --tls -H 'authorization: Bearer x'
              Without reflection:
                rocket call 127.0.0.1:50051 Greeter/hello --grpc --proto greeter.proto
              A stream of requests from a file of JSON lines:
                rocket call unix:/run/points.sock Points.record @points.jsonl
              What a method takes and returns:
                rocket call 127.0.0.1:12345 --describe Order.makeOrder

            With --verbose, metadata, times and sizes go to standard error. An error of the server \
            is one line there, with its code, and status 1; with --json a line of JSON. Status 69 \
            says that the server can't be reached or has not answered in time.
            """)

    @Argument(
        help: ArgumentHelp("The server.", valueName: "address"))
    var address: String?

    @Argument(
        help: ArgumentHelp(
            "The method, or what --list and --describe are for.", valueName: "method"),
        completion: .custom { words, _, prefix in await MethodCompletion.names(words, prefix) })
    var method: String?

    @Argument(help: ArgumentHelp("The request: JSON, @FILE or -.", valueName: "json"))
    var requests: [String] = []

    @Flag(help: "List the services, or the methods of one.")
    var list = false

    @Flag(help: "Print a service, a method or a message as in a .proto file.")
    var describe = false

    @OptionGroup var server: ServerOptions
    @OptionGroup var schema: SchemaOptions

    @Flag(help: "Print replies on several lines.")
    var pretty = false

    @Flag(help: "Print fields that have their defaults, too.")
    var defaults = false

    @Flag(help: "Print names in lowerCamelCase in place of those of the .proto file.")
    var jsonNames = false

    @Flag(name: .shortAndLong, help: "Print metadata, times and sizes on standard error.")
    var verbose = false

    @Flag(help: "Print errors as JSON on standard error.")
    var json = false

    /// Refuses options that do not fit together.
    func validate() throws {
        if list && describe { throw ValidationError("--list goes without --describe") }
        let needsServer = schema.proto.isEmpty || !(list || describe)
        if address == nil, needsServer {
            throw ValidationError("the address of a server is missing")
        }
        if list || describe {
            if !requests.isEmpty { throw ValidationError("--list and --describe take no JSON") }
            if describe, symbol == nil { throw ValidationError("--describe needs a symbol") }
        } else if method == nil {
            throw ValidationError("a method is missing; --list shows which there are")
        }
    }

    /// What --list and --describe are for: without a server, also the first argument.
    private var symbol: String? { method ?? (schema.proto.isEmpty ? nil : address) }

    func run() async throws {
        if list || describe { return try await show() }
        guard let address, let name = method else { throw CleanExit.helpRequest(self) }
        let target = try server.target(address)
        let channel = try Self.channel(to: target)
        let schema = try await schema(channel, address, for: name)
        let method = try Self.method(name, in: schema)
        let kind = method.kind
        if requests.count > 1, kind == .unary || kind == .serverStreaming {
            throw ProgramFailure(
                "\(method.fullName) takes one request, not \(requests.count)", status: .usage)
        }
        var options = DynamicSchema.JSONOptions()
        (options.isPretty, options.includesDefaults) = (pretty, defaults)
        options.usesJSONNames = jsonNames
        let call = DynamicCall(
            method: method, schema: schema, options: options,
            controller: RPCController(
                timeout: server.timeout?.duration, metadata: server.allMetadata,
                options: .with { $0.waitsForReady = server.waitForReady }))
        let report = CallReport(
            method: method, server: address, isGRPC: server.grpc, isJSON: json, schema: schema)
        if verbose { report.begins(metadata: server.allMetadata).forEach(Self.note) }
        let interruption = Interruption()
        try await interruption.whileRunning(cancel: { call.controller.cancel() }) {
            try await perform(call, channel, report, interruption)
        }
    }

    private func perform(
        _ call: DynamicCall, _ channel: RPCChannel, _ report: CallReport,
        _ interruption: Interruption
    ) async throws {
        let start = SystemTimeSource().monotonic()
        let input = RequestInput(requests, streams: call.method.streamsRequests)
        do {
            try await call.run(input, over: channel) { line in
                StandardOutput.write(line: line)
                return !StandardOutput.hasFailed
            }
        } catch let error as RPCError {
            if verbose { report.ends(call.controller, since: start).forEach(Self.note) }
            // After Ctrl-C nobody needs to be told that the call was cancelled.
            if error.code == .cancelled, interruption.hasBegun { throw error }
            StandardError.write(line: report.line(of: error, call.controller))
            throw ExitCode(report.status(of: error).rawValue)
        }
        if verbose { report.ends(call.controller, since: start).forEach(Self.note) }
    }

    /// Prints services, methods or definitions.
    private func show() async throws {
        let loaded = try schema.schema()
        var loader: SchemaLoader?
        if loaded == nil, let address {
            loader = try await Self.calling(address) {
                try await SchemaLoader(
                    Self.channel(to: server.target(address)), server: address,
                    isGRPC: server.grpc, call: server.reflectionCall)
            }
        }
        if list, symbol == nil {
            let names = loader?.serviceNames ?? loaded?.services.map(\.name) ?? []
            names.forEach { StandardOutput.write(line: TerminalText.safe($0)) }
            return
        }
        guard let symbol else { return }
        let text = try await Self.calling(address ?? "") {
            if list {
                let schema =
                    if let loaded { loaded } else { try await loader?.schema(for: symbol) }
                return try schema.map { try Listing.methods(of: symbol, in: $0) }
            }
            let schema =
                if let loaded { loaded } else { try await loader?.schema(defining: symbol) }
            return try schema.map { try Listing.definition(of: symbol, in: $0) }
        }
        StandardOutput.write(line: Listing.safe(text ?? ""))
    }

    /// The schema with a method: of the .proto files, or by reflection.
    private func schema(
        _ channel: RPCChannel, _ address: String, for name: String
    ) async throws -> DynamicSchema {
        if let schema = try schema.schema() { return schema }
        return try await Self.calling(address) {
            let loader = try await SchemaLoader(
                channel, server: address, isGRPC: server.grpc, call: server.reflectionCall)
            return try await loader.schema(for: name)
        }
    }

    private static func method(
        _ name: String, in schema: DynamicSchema
    ) throws(ProgramFailure) -> DynamicMethod {
        do { return try schema.method(named: name) } catch {
            throw ProgramFailure(error.description, status: .failure)
        }
    }

    /// - Parameter loop: runs the connections; nil: a loop of the channel's own.
    static func channel(
        to target: ServerTarget, on loop: EventLoop? = nil
    ) throws(ProgramFailure) -> RPCChannel {
        do { return try target.channel(on: loop) } catch {
            throw ProgramFailure(
                "cannot call \(target): \(error.message)", status: ExitStatus(of: error))
        }
    }

    /// Gives errors of reflection the server's address.
    static func calling<Result>(
        _ address: String, _ body: () async throws -> Result
    ) async throws -> Result {
        do { return try await body() } catch let error as RPCError {
            throw ProgramFailure(
                "\(address): \(CallReport.text(of: error)), asked for its services "
                    + "(--proto FILE does without)",
                status: CallReport.status(of: error))
        } catch let error as DynamicSchemaError {
            throw ProgramFailure(
                "\(address): its services can't be used: \(error)", status: .protocolError)
        } catch let error as UnknownSymbol {
            throw ProgramFailure(error.description, status: .failure)
        }
    }

    private static func note(_ line: String) {
        StandardError.write(line: TerminalText.safe(line), level: .info)
    }
}
