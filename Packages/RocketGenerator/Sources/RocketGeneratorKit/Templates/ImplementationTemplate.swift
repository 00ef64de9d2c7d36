import RocketGeneratorPlugin

/// Writes Sources/NAME/service/NAMEServiceImpl.swift, which passes each unary call to an interface.
/// The functions of methods with streams are extensions in files of the user (`StreamTemplate`).
struct ImplementationTemplate {
    let service: ProjectService
    let names: ProjectNames

    var lines: Lines {
        .joined([
            MethodRecord(service.methods).lines,
            imports,
            DocComment.lines(comment) + head
                + Lines.joined([members] + unary.map(function)).indented + ["}"],
        ])
    }

    private var unary: [ProjectMethod] { service.methods.filter { $0.model.kind == .unary } }

    private var comment: [String] {
        let name = service.model.fullName
        if service.model.hasStreams {
            let interfaces = unary.isEmpty ? "" : ": creates an interface for each unary call"
            return [
                "Implements `\(name)`\(interfaces).",
                "Methods with streams are functions in the folder interface, one file for each.",
            ]
        }
        return ["Implements `\(name)`: creates an interface for each call."]
    }

    private var head: Lines {
        let type = "public struct \(service.implementation):"
        let line = "\(type) \(service.model.protocolName) {"
        return Layout.fits(line, depth: 0)
            ? [line] : [type, "    \(service.model.protocolName)", "{"]
    }

    /// A public import that no public declaration uses is a warning; without any, the defaults of
    /// `RPCService` are not found.
    private var imports: Lines {
        guard !unary.isEmpty else { return ["import RocketRPC"] }
        let needsMessages = unary.contains { $0.usesWellKnownMessages }
        return ["public import RocketRPC"]
            + (needsMessages ? ["public import SwiftProtobuf"] : [])
    }

    private var members: Lines {
        [
            // The extensions for methods with streams use it.
            "\(service.model.hasStreams ? "" : "private ")let resources: \(names.resources)",
            "",
            "/// Creates a service whose calls use `resources`.",
            "public init(_ resources: \(names.resources)) { self.resources = resources }",
        ]
    }

    /// Returns the function of one method.
    func function(_ method: ProjectMethod) -> Lines {
        let signature = Layout.list(
            "public func \(method.model.swiftName)",
            ["_ request: \(method.model.request)", "_ call: \(names.rpc("RPCController"))"],
            " async throws -> \(method.model.response) {", depth: 1, closingOnOwnLine: true)
        let call = Layout.list(
            "try await \(method.interface)",
            ["request: request", "call: call", "resources: resources"], ".answer()", depth: 2,
            closingOnOwnLine: true)
        return DocComment.lines(
            method.model.comment, or: "Handles `\(method.fullName)`.",
            isDeprecated: method.model.isDeprecated) + signature + call.indented + ["}"]
    }
}
