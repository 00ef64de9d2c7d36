import CRocketProtobuf
import RocketBase

extension DynamicSchema {
    /// Returns the service with that name: `shop.v1.Order`, or `Order` if one service is called so.
    ///
    /// - Throws: `UnknownSymbol` with the most similar names.
    public func service(named name: String) throws(UnknownSymbol) -> DynamicService {
        let found = services.filter { $0.name == name }
        if let first = found.first { return first }
        let short = services.filter { $0.name.hasSuffix(".\(name)") }
        if short.count == 1 { return short[0] }
        let names = services.map(\.name)
        throw UnknownSymbol(
            kind: "service", name: name, candidates: short.isEmpty ? names : short.map(\.name),
            isAmbiguous: short.count > 1)
    }

    /// Returns the method with that name: `shop.v1.Order.makeOrder`, `shop.v1.Order/makeOrder`,
    /// `Order.makeOrder` if one service is called so, or `makeOrder` if one method is.
    ///
    /// - Throws: `UnknownSymbol` with the most similar names.
    public func method(named name: String) throws(UnknownSymbol) -> DynamicMethod {
        var text = name.hasPrefix("/") ? String(name.dropFirst()) : name
        if let slash = text.lastIndex(of: "/") { text.replaceSubrange(slash...slash, with: ".") }
        let all = services.flatMap(\.methods)
        if let found = all.first(where: { $0.fullName == text }) { return found }
        guard let dot = text.lastIndex(of: ".") else {
            let found = all.filter { $0.name == text }
            if found.count == 1 { return found[0] }
            throw UnknownSymbol(
                kind: "method", name: name,
                candidates: (found.isEmpty ? all : found).map(\.fullName),
                isAmbiguous: found.count > 1)
        }
        let service: DynamicService
        do { service = try self.service(named: String(text[..<dot])) } catch {
            throw UnknownSymbol(
                kind: "method", name: name, candidates: all.map(\.fullName), isAmbiguous: false)
        }
        let last = text[text.index(after: dot)...]
        if let found = service.methods.first(where: { $0.name == last }) { return found }
        throw UnknownSymbol(
            kind: "method", name: name, candidates: service.methods.map(\.fullName),
            isAmbiguous: false)
    }

    /// Whether there is a message with that full name.
    public func hasMessage(named name: String) -> Bool {
        unsafe withPointer { unsafe rocket_protobuf_has_message($0, name) != 0 }
    }

    /// Returns the definition of a symbol as in a .proto file, with its comments where the schema was
    /// made from files; nil: there is no such symbol.
    ///
    /// - Parameter symbol: the full name of a service, a method, a message, an enum, a field or a
    ///   value, or the name of a file.
    public func describe(_ symbol: String) -> String? {
        unsafe withPointer { unsafe CProtobufBytes(rocket_protobuf_describe($0, symbol))?.text }
    }

    /// Returns the names of a message's fields, or of an enum's values; nil: there is neither.
    public func names(of symbol: String) -> [String]? {
        unsafe withPointer { unsafe CProtobufBytes(rocket_protobuf_names($0, symbol))?.text }
            .map { $0.split(separator: "\n").map(String.init) }
    }
}

/// A name that a schema does not have, or that is the end of several names.
public struct UnknownSymbol: Error, Hashable, Sendable, CustomStringConvertible {
    /// `service` or `method`.
    public let kind: String
    /// The name that was asked for.
    public let name: String
    /// The full names that may be meant.
    public let candidates: [String]
    /// Whether each of the candidates ends with the name.
    public let isAmbiguous: Bool

    /// What to use in its place, in one line.
    public var description: String {
        if isAmbiguous {
            return "'\(name)' is the name of several \(kind)s: "
                + candidates.joined(separator: ", ")
        }
        let start = "there is no \(kind) '\(name)'"
        let short = name.split(whereSeparator: { "./".contains($0) }).last.map(String.init) ?? name
        let nearest =
            NearestName.to(name, in: candidates)
            ?? NearestName.to(short, in: candidates.map(Self.lastPart)).flatMap { last in
                candidates.first { Self.lastPart($0) == last }
            }
        if let nearest { return "\(start); did you mean \(nearest)?" }
        if candidates.isEmpty { return "\(start): there is none at all" }
        let known = candidates.prefix(8).joined(separator: ", ")
        return "\(start) (known: \(known)\(candidates.count > 8 ? ", …" : ""))"
    }

    private static func lastPart(_ name: String) -> String {
        name.split(separator: ".").last.map(String.init) ?? name
    }
}
