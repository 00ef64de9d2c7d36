public import RocketBase

/// conf/rocket.reference.xml, with all elements at their defaults, each after its explanation.
public enum ReferenceXML {
    /// Returns the text of the file. Stubs have no defaults, so the example is commented out.
    public static func text(of sections: [ConfigDescription]) -> String {
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8" ?>"#,
            "<!-- All elements of the configuration with their defaults. Generated from the schema",
            "     (make generate). All elements are optional. Relative paths are resolved against",
            "     the folder of this file. -->", "<root>",
        ]
        for section in sections {
            let isStub = section.path.hasPrefix("stubs/")
            lines += section.summary.wrapped(to: 90, first: "  <!-- ", rest: "       ", end: " -->")
            lines += isStub ? stub(section) : body(section)
            lines.append("")
        }
        lines[lines.count - 1] = "</root>"
        return lines.joined(separator: "\n") + "\n"
    }

    private static func body(_ section: ConfigDescription) -> [String] {
        let fields = section.fields.flatMap { field in
            explanation(field, first: "    <!-- ", end: " -->") + [
                element(field, field.defaultText, indent: "    ")
            ]
        }
        let inner = section.elements.flatMap { optional($0, note: "") }
        return ["  <\(section.path)>"] + fields + inner + ["  </\(section.path)>"]
    }

    /// A section that is missing by default, in a comment. Those inside of it are only named by its
    /// text.
    private static func optional(_ section: ConfigDescription, note: String) -> [String] {
        let name = section.path.split(separator: "/").last ?? ""
        let text = (note + section.summary).wrapped(
            to: 90, first: "    <!-- ", rest: "         ", end: "")
        let fields = section.fields.flatMap { field in
            explanation(field, first: "           ", end: "") + [
                element(field, field.defaultText, indent: "          ")
            ]
        }
        return text + ["        <\(name)>"] + fields + ["        </\(name)>", "    -->"]
    }

    private static func stub(_ section: ConfigDescription) -> [String] {
        let required = ["name": "order", "port": "12345"]
        let fields = section.fields.flatMap { field in
            explanation(field, first: "         ", end: "") + [
                element(field, required[field.name] ?? field.defaultText, indent: "        ")
            ]
        }
        return ["  <stubs>", "    <!--", "      <rpc_server>"] + fields + [
            "      </rpc_server>", "    -->",
        ] + section.elements.flatMap { optional($0, note: "In an rpc_server. ") } + ["  </stubs>"]
    }

    private static func explanation(
        _ field: ConfigDescription.Field, first: String, end: String
    ) -> [String] {
        let rest = String(repeating: " ", count: first.count)
        return "\(field.summary) \(field.rule)".wrapped(
            to: 96, first: first, rest: rest, end: end)
    }

    private static func element(
        _ field: ConfigDescription.Field, _ text: String, indent: String
    ) -> String {
        if text.isEmpty { return "\(indent)<\(field.name)/>" }
        return "\(indent)<\(field.name)>\(text)</\(field.name)>"
    }
}
