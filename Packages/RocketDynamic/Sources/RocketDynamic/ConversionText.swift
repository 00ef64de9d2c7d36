import RocketBase

/// An error of libprotobuf's converter of JSON, taken apart: it has the forms `(PATH): invalid value
/// VALUE for type TYPE`, `(PATH) NAME: Cannot find field.` and others. A value.
struct ConversionText {
    private let text: String
    /// What is in front, such as `items[2].price`; empty: nothing.
    private let path: String
    private let rest: Substring

    init(_ text: String) {
        self.text = text
        var path = ""
        var rest = text[...]
        if text.hasPrefix("("), let end = text.firstIndex(of: ")") {
            path = String(text[text.index(after: text.startIndex)..<end])
            rest = text[text.index(after: end)...]
        }
        self.path = path
        self.rest = rest.drop { $0 == " " || $0 == ":" }
    }

    /// Says what was expected in place of the value.
    ///
    /// - Parameters:
    ///   - type: the type of a field, and whether it is an enum; nil: there is no such field.
    ///   - names: the fields of a message, or the values of an enum.
    func explained(
        type: (String) -> (name: String, isEnum: Bool)?, names: (String) -> [String]?
    ) -> DynamicMessageError {
        if let end = rest.range(ofText: ": Cannot find field.") {
            return unknownField(String(rest[..<end.lowerBound]), type, names)
        }
        guard rest.hasPrefix(Self.invalid), let end = rest.lastRange(ofText: " for type ") else {
            return DynamicMessageError(
                rest.hasPrefix("Root element") ? "expected an object" : text)
        }
        let value = String(rest[rest.index(rest.startIndex, offsetBy: 14)..<end.lowerBound])
        let expected = String(rest[end.upperBound...])
        if let problem = Self.problem(of: value, in: expected, path: path) { return problem }
        guard let found = type(path) else {
            return DynamicMessageError("\(value) is no \(expected)", path: path)
        }
        if found.isEnum {
            let values = names(found.name) ?? []
            let typed = value.filter { $0 != "\"" }
            return DynamicMessageError(
                "expected \(found.name), which is one of \(Self.list(values)); found \(value)"
                    + NearestName.hint(for: typed, in: values), path: path)
        }
        return DynamicMessageError("expected \(found.name), found \(value)", path: path)
    }

    private static let invalid = "invalid value "

    private func unknownField(
        _ name: String, _ type: (String) -> (name: String, isEnum: Bool)?,
        _ names: (String) -> [String]?
    ) -> DynamicMessageError {
        let full = path.isEmpty ? name : "\(path).\(name)"
        guard let holder = type(path)?.name, let known = names(holder), path != "" || !known.isEmpty
        else { return DynamicMessageError("there is no such field", path: full) }
        let hint = NearestName.hint(for: name, in: known)
        let fields = known.isEmpty ? "which has no fields" : "whose fields are \(Self.list(known))"
        return DynamicMessageError(
            "there is no such field in \(holder)" + (hint.isEmpty ? ", \(fields)" : hint),
            path: full)
    }

    /// Where libprotobuf puts a sentence in place of the value.
    private static func problem(
        of value: String, in type: String, path: String
    ) -> DynamicMessageError? {
        if let field = value.suffix(after: "Starting an object on a scalar field") {
            return DynamicMessageError(
                "expected a value, found an object", path: field.isEmpty ? type : path)
        }
        if type == "oneof" || type == "Map" || type == "Any" {
            return DynamicMessageError(value, path: path)
        }
        // `Field 'd', Illegal duration format; …`
        if value.hasPrefix("Field '"), let comma = value.range(ofText: "', ") {
            return DynamicMessageError(String(value[comma.upperBound...]), path: path)
        }
        return nil
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(16).joined(separator: ", ") + (names.count > 16 ? ", …" : "")
    }
}

extension StringProtocol {
    /// Where a text occurs first.
    fileprivate func range(ofText text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            start = index(after: start)
        }
        return nil
    }

    /// Where a text occurs last.
    fileprivate func lastRange(ofText text: String) -> Range<Index>? {
        var start = endIndex
        while start > startIndex {
            start = index(before: start)
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
        }
        return nil
    }

    /// What follows a prefix; nil: it has another one.
    fileprivate func suffix(after prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
