// SPDX-License-Identifier: LGPL-2.1-or-later
// The policies in force as one text to vary, and how a text that was tried comes to stay.
const DIRECTORY = "/etc/memonline/policy.d";

/** One text that says what they say together: the first rule that fits counts, also across files.
    Its lines end as those of a textarea do, whatever editor wrote the files: else the text could never
    be seen to be the one in force. */
export function joined(policies) {
    const told = ({ policy, withheld }) => policy ?? `# ${withheld}\n`;
    const text = policies.length === 1 ? told(policies[0])
        : policies.map(policy => `# ${policy.path}\n${told(policy)}`).join("\n");
    return text.replace(/\r\n?/g, "\n");
}

/** The file to put a text into in their place, and the commands that take the others out. */
export function waysToKeep(policies) {
    const own = ({ path }) => path.includes(`${DIRECTORY}/`);
    if (policies.length === 1 && own(policies[0]) && policies[0].path.endsWith(".mempolicy"))
        return { file: policies[0].path, commands: [] };
    const commands = policies.map(policy => {
        const name = policy.path.slice(policy.path.lastIndexOf("/") + 1);
        return own(policy) ? `mv ${policy.path} ${policy.path}.off` : `ln -s /dev/null ${DIRECTORY}/${name}`;
    });
    return { file: `${DIRECTORY}/50-local.mempolicy`, commands };
}
