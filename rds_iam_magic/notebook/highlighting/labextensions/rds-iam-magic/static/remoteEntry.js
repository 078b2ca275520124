/*
 * Colours the cells of rds_iam_magic as SQL, in JupyterLab 4 and Notebook 7. Written by hand: no build makes this file.
 *
 * JupyterLab loads it as a module of webpack's federation: it calls `init` with the modules that it shares, then `get`,
 * whose module must carry `__esModule`, or all of JupyterLab stays blank. Everything here is within a `try`: whatever
 * fails, a cell stays Python, and the rest of JupyterLab as it is.
 *
 * The colours are those of JupyterLab's own MySQL mode, which is loaded when the first such cell is seen. Of a cell, the
 * magic's line is ours, and what follows is MySQL's. No other editor's language is touched.
 */
(() => {
  'use strict';

  const NAME = 'rds-iam-magic';
  const ID = `${NAME}:plugin`;

  // As IPython has it: blank lines may stand before a cell magic, nothing else but magics that run the rest.
  const SQL_CELL = /^\s*(?:%%(?:time|timeit|capture|prun)\b[^\n]*\n\s*)*%%rds_(?:sql|explain)(?![\w.])/;
  const HEAD = 2000; // characters of a cell within which its magic must stand
  const PYTHON = /^text\/x-i?python\b/;
  const LINE_PARTS = /(^|\s)(?:(#.*|--(?=\s|$).*)|(--?[A-Za-z][\w-]*)|("[^"\n]*"|'[^'\n]*'))/g;
  const NOTHING = []; // the extension of a cell that is not ours

  const told = new Set();
  function tell(error) {
    if (!told.has(String(error))) {
      told.add(String(error));
      console.warn(`${NAME}: cells are not coloured as SQL.`, error);
    }
  }

  /* The modules that JupyterLab shares. */
  function shared(scope, name) {
    const versions = Object.entries(scope[name] || {});
    if (!versions.length) {
      throw new Error(`${name} is not shared`);
    }
    const [, found] = versions.find(([, each]) => each.loaded) || versions[versions.length - 1];
    return Promise.resolve(found.get()).then(factory => factory());
  }

  /* The language of our cells: a line of ours, then MySQL. */
  function cellLanguage(mysql, modules) {
    const { Parser, NodeType, Tree, parseMixed } = modules.common;
    const { styleTags, tags } = modules.highlight;
    const { Language, languageDataProp } = modules.language;

    const style = styleTags({
      MagicName: tags.meta,
      MagicOption: tags.attributeName,
      MagicString: tags.string,
      MagicComment: tags.lineComment
    });
    const names = ['Cell', 'Body', 'MagicName', 'MagicOption', 'MagicString', 'MagicComment'];
    const [cellType, bodyType, nameType, optionType, stringType, commentType] = names.map((name, id) =>
      NodeType.define({ id, name, top: id === 0, props: id === 0 ? [[languageDataProp, mysql.data]] : [style] })
    );

    function treeOf(text, end) {
      const children = [];
      const positions = [];
      const add = (type, from, to) => {
        if (from < to && to <= end) {
          children.push(new Tree(type, [], [], to - from));
          positions.push(from);
        }
      };
      const match = SQL_CELL.exec(text);
      const behind = match ? match[0].length : 0;
      if (match) {
        const lineEnd = text.indexOf('\n', behind) < 0 ? text.length : text.indexOf('\n', behind);
        add(nameType, match[0].search(/\S/), behind);
        for (const part of text.slice(behind, lineEnd).matchAll(LINE_PARTS)) {
          const from = behind + part.index + part[1].length;
          const type = part[2] ? commentType : part[3] ? optionType : stringType;
          add(type, from, from + part[0].length - part[1].length);
        }
        add(bodyType, Math.min(lineEnd + 1, end), end);
      } else {
        add(bodyType, 0, end);
      }
      return new Tree(cellType, children, positions, end);
    }

    class Outline {
      constructor(input, ranges) {
        this.input = input;
        this.to = ranges[ranges.length - 1].to;
        this.parsedPos = ranges[0].from;
        this.stoppedAt = null;
      }
      stopAt(at) {
        this.stoppedAt = at;
      }
      advance() {
        const end = Math.min(this.to, this.stoppedAt === null ? this.to : this.stoppedAt);
        this.parsedPos = end;
        return treeOf(this.input.read(0, Math.min(this.input.length, HEAD)), end);
      }
    }
    const within = parseMixed(node => (node.type === bodyType ? { parser: mysql.parser } : null));
    class CellParser extends Parser {
      createParse(input, fragments, ranges) {
        return within(new Outline(input, ranges), input, fragments, ranges);
      }
    }
    return new Language(mysql.data, new CellParser(), [], 'rds_sql');
  }

  /* Which cells are coloured, for all editors at once. */
  class Colours {
    constructor(modules, languages) {
      this.modules = modules;
      this.languages = languages;
      this.on = false;
      this.sql = null; // the extension that makes an editor's language ours, once it is needed
      this.loading = false;
      this.views = new Set();
    }

    /* The extension that an editor should have now. */
    wanted(model, doc) {
      if (!this.on || !PYTHON.test(model.mimeType) || !SQL_CELL.test(doc.sliceString(0, HEAD))) {
        return NOTHING;
      }
      if (!this.loading) {
        this.loading = true;
        this.load().catch(tell);
      }
      return this.sql || NOTHING;
    }

    async load() {
      const found = await this.languages.getLanguage('text/x-mysql');
      const mysql = found.support.language;
      let language = mysql;
      try {
        language = cellLanguage(mysql, this.modules);
        language.parser.parse('%%rds_sql -q\nSELECT 1'); // fails here, not while somebody types
      } catch (error) {
        language = mysql;
        tell(error);
      }
      this.sql = this.modules.state.Prec.highest(language);
      this.look();
    }

    switch(on) {
      this.on = on;
      this.look();
    }

    /* Have all editors look at their text again. */
    look() {
      for (const view of this.views) {
        lookAgain(view);
      }
    }

    /* What an editor has from its beginning. */
    of(model) {
      const { Compartment, EditorState } = this.modules.state;
      const place = new Compartment();
      const colours = this;
      const follow = EditorState.transactionExtender.of(transaction => {
        try {
          const now = place.get(transaction.startState);
          const wanted = colours.wanted(model, transaction.newDoc);
          return now === undefined || now === wanted ? null : { effects: place.reconfigure(wanted) };
        } catch (error) {
          tell(error);
          return null;
        }
      });
      const known = this.modules.view.ViewPlugin.define(view => {
        const look = () => later(view);
        colours.views.add(view);
        model.mimeTypeChanged.connect(look); // it can come after the text
        look();
        return {
          destroy() {
            colours.views.delete(view);
            model.mimeTypeChanged.disconnect(look);
          }
        };
      });
      const later = view => Promise.resolve().then(() => colours.views.has(view) && lookAgain(view));
      return [place.of(NOTHING), follow, known];
    }
  }

  /* A transaction of nothing, which brings the editor its extension. */
  function lookAgain(view) {
    try {
      view.dispatch({});
    } catch (error) {
      tell(error);
    }
  }

  async function follow(settings, colours) {
    try {
      const setting = await settings.load(ID);
      const read = () => colours.switch(setting.get('highlight').composite !== false);
      setting.changed.connect(read);
      read();
    } catch (error) {
      tell(error);
      colours.switch(true);
    }
  }

  function plugin(modules, tokens) {
    return {
      id: ID,
      description: 'Colours the cells of rds_iam_magic as SQL.',
      autoStart: true,
      optional: tokens,
      activate: (app, extensions, languages, settings) => {
        try {
          if (!extensions || !languages) {
            return;
          }
          const colours = new Colours(modules, languages);
          extensions.addExtension({
            name: NAME,
            factory: ({ model, inline }) => {
              const extension = inline ? colours.of(model) : NOTHING; // a file that is edited is no cell
              return { instance: () => extension, reconfigure: () => null };
            }
          });
          if (settings) {
            follow(settings, colours);
          } else {
            colours.switch(true);
          }
        } catch (error) {
          tell(error);
        }
      }
    };
  }

  let scope = {};

  async function load() {
    try {
      const names = {
        codemirror: '@jupyterlab/codemirror',
        registry: '@jupyterlab/settingregistry',
        state: '@codemirror/state',
        view: '@codemirror/view',
        language: '@codemirror/language',
        common: '@lezer/common',
        highlight: '@lezer/highlight'
      };
      const modules = {};
      for (const [key, name] of Object.entries(names)) {
        modules[key] = await shared(scope, name);
      }
      const { IEditorExtensionRegistry, IEditorLanguageRegistry } = modules.codemirror;
      return plugin(modules, [IEditorExtensionRegistry, IEditorLanguageRegistry, modules.registry.ISettingRegistry]);
    } catch (error) {
      tell(error);
      return { id: ID, autoStart: true, activate: () => undefined };
    }
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: given => {
      scope = given;
    },
    get: async () => {
      const loaded = await load();
      return () => ({ __esModule: true, default: loaded });
    }
  };
})();
