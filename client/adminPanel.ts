import { adminPanelApi } from './api/panelMethods.ts';
import { startPanel } from './panels/startPanel.tsx';
import { AdminPanelPage } from './surfaces/AdminPanelPage.tsx';

void startPanel(adminPanelApi, AdminPanelPage, ({ t }) => t('adminPanel.title'));
