/// A whole generated file.
struct FileTemplate {
    let file: FileModel
    let options: GeneratorOptions
    let names: RuntimeNames

    var text: String { lines.text }

    private var lines: Lines {
        let head = [
            HeaderTemplate.lines(protoPath: file.protoPath),
            HeaderTemplate.imports(
                file.messageModules, level: options.visibility,
                explicit: options.accessLevelOnImports),
            MessageNamesTemplate.lines(file.messageNames, level: options.visibility),
        ]
        let descriptors =
            hasDescriptors ? [DescriptorsTemplate(bytes: file.descriptors, names: names).lines] : []
        return .joined(head + file.services.flatMap(blocks) + descriptors)
    }

    private var hasDescriptors: Bool {
        options.server && options.descriptors && !file.descriptors.isEmpty
    }

    private func blocks(of service: ServiceModel) -> [Lines] {
        let level = options.visibility
        var blocks = [["// MARK: - \(service.fullName)"]]
        if options.server {
            let server = ServerTemplate(
                service: service, level: level, names: names, hasDescriptors: hasDescriptors)
            blocks.append(server.lines)
            blocks.append(
                SynchronousTemplate(service: service, level: level, names: names).lines)
        }
        blocks.append(MethodsTemplate(service: service, level: level, names: names).lines)
        if options.client {
            blocks.append(ClientTemplate(service: service, level: level, names: names).lines)
        }
        return blocks
    }
}
